// What Redis does for the limiter, each in one step that nothing comes between. Time is the server's own, so that the
// processes' clocks need not agree.
//
// Keys (all begin with the prefix; on a cluster it has to contain a {hash tag}):
//   members         sorted set: which process lives until when. One that does not renew is dead, and holds nothing
//   w:SUBJECT       hash: what was admitted in each of the last 61 seconds (`r12` requests, `t12` tokens of second 12),
//                   the sums of it (`requests`, `tokens`), and the oldest and newest second (`first`, `last`)
//   c:SUBJECT       hash: process -> its calls under way
//   b:SUBJECT       hash: `start` of the period, `total` committed, and for each ledger its part (`p:LEDGER`) and which
//                   process last told it (`m:LEDGER`). Thousandths of micro-dollars
//
// A process tells its own part of a budget as a whole when it is new (or Redis is), from its ledger; then in steps.

/** Arguments that every script begins with: how far to look ahead of the server's clock in ms, and who asks. */
const PRELUDE = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[1])
local second = math.floor(now / 1000)
local me = ARGV[2]
local members = KEYS[1]
local function alive(member)
  local till = redis.call('ZSCORE', members, member)
  return till and tonumber(till) > now
end
local function whole(n) return string.format('%.0f', n) end
`

/**
 * KEYS members, then w, c, b of each subject. ARGV ahead, me, ledger, tokens, cost; then for each subject: the limits of
 * requests, tokens, concurrency and budget (-1: none), start and end of the budget's period, and our part of it so far.
 * Answers [what, now, ...]:
 *   'stranger'  we are not (or no longer) a member
 *   'moved'     now is not in the period that was named
 *   'admitted', second, ...room     'refused', index of the subject, reason, wait in ms (-1: for ever), ...room
 * where room is for each subject: requests, tokens, newest second, committed of the budget.
 */
export const ADMIT = `${PRELUDE}
local ledger = ARGV[3]
local tokens = tonumber(ARGV[4])
local cost = tonumber(ARGV[5])
local subjects = (#KEYS - 1) / 3
if not alive(me) then return { 'stranger', now } end

-- The window as of now: what is older than a minute is taken out. \`at\` is the second that counts what comes.
local function window(key)
  local v = redis.call('HMGET', key, 'first', 'last', 'requests', 'tokens')
  local w = { first = tonumber(v[1]), last = tonumber(v[2]), requests = tonumber(v[3]), tokens = tonumber(v[4]), at = second }
  if not w.first or w.last < second - 60 then
    if w.first then redis.call('DEL', key) end
    return { first = second, last = second, requests = 0, tokens = 0, at = second, fresh = true }
  end
  if w.last > second then
    if w.last - second <= 60 then
      w.at = w.last
    else -- The clock was put far back: all that counts, counts from now.
      redis.call('DEL', key)
      redis.call('HSET', key, 'r' .. second, w.requests, 't' .. second, w.tokens)
      w.first, w.last, w.aged = second, second, true
    end
  end
  while w.first < w.at - 60 do
    local gone = redis.call('HMGET', key, 'r' .. w.first, 't' .. w.first)
    if gone[1] or gone[2] then
      w.requests = w.requests - (tonumber(gone[1]) or 0)
      w.tokens = w.tokens - (tonumber(gone[2]) or 0)
      redis.call('HDEL', key, 'r' .. w.first, 't' .. w.first)
    end
    w.first = w.first + 1
    w.aged = true
  end
  return w
end

local function keep(key, w)
  redis.call('HSET', key, 'first', w.first, 'last', w.last, 'requests', whole(w.requests), 'tokens', whole(w.tokens))
  redis.call('PEXPIRE', key, 125000)
end

-- ms until no more than \`most\` counts; -1 where that never comes.
local function wait(key, w, field, left, most)
  if most < 0 then return -1 end
  for s = w.first, w.at do
    left = left - (tonumber(redis.call('HGET', key, field .. s)) or 0)
    if left <= most then return (s + 61) * 1000 - now end
  end
  return -1
end

-- Before anything is touched.
for i = 1, subjects do
  local a = 5 + (i - 1) * 7
  local startMs = tonumber(ARGV[a + 5])
  if startMs >= 0 and (now < startMs or now >= tonumber(ARGV[a + 6])) then return { 'moved', now } end
end

local windows, budgets, room = {}, {}, {}
local index, reason, longest
local function short(i, why, ms)
  if not index or (longest >= 0 and (ms < 0 or ms > longest)) then index, reason, longest = i, why, ms end
end

for i = 1, subjects do
  local wkey, ckey, bkey = KEYS[i * 3 - 1], KEYS[i * 3], KEYS[i * 3 + 1]
  local a = 5 + (i - 1) * 7
  local maxRequests, maxTokens = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local maxActive, maxNano = tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local used = { 0, 0, second, 0 }
  if maxRequests >= 0 or maxTokens >= 0 then
    local w = window(wkey)
    windows[i] = w
    if maxRequests >= 0 and w.requests + 1 > maxRequests then
      short(i, 'requests', wait(wkey, w, 'r', w.requests, maxRequests - 1))
    end
    if maxTokens >= 0 and w.tokens + tokens > maxTokens then
      short(i, 'tokens', wait(wkey, w, 't', w.tokens, maxTokens - tokens))
    end
    used = { w.requests, w.tokens, w.last, 0 }
  end
  if maxActive >= 0 then
    local counts = redis.call('HGETALL', ckey)
    local active = 0
    for j = 1, #counts, 2 do
      if alive(counts[j]) then active = active + tonumber(counts[j + 1]) else redis.call('HDEL', ckey, counts[j]) end
    end
    if active + 1 > maxActive then short(i, 'concurrency', 1000) end
  end
  if maxNano >= 0 then
    local startMs, endMs, own = tonumber(ARGV[a + 5]), tonumber(ARGV[a + 6]), tonumber(ARGV[a + 7])
    local v = redis.call('HMGET', bkey, 'start', 'total', 'm:' .. ledger, 'p:' .. ledger)
    local total = tonumber(v[2]) or 0
    if tonumber(v[1]) ~= startMs then
      redis.call('DEL', bkey)
      v, total = {}, 0
    end
    if v[3] ~= me then
      total = total - (tonumber(v[4]) or 0) + own
      redis.call('HSET', bkey, 'start', ARGV[a + 5], 'total', whole(total), 'm:' .. ledger, me, 'p:' .. ledger, whole(own))
      redis.call('PEXPIRE', bkey, endMs - now + 3600000)
    end
    if total + cost > maxNano then short(i, 'budget', cost > maxNano and -1 or endMs - now) end
    budgets[i] = true
    used[4] = total
  end
  room[i] = used
end

local answer
if index then
  for i, w in pairs(windows) do
    if w.aged then keep(KEYS[i * 3 - 1], w) end
  end
  answer = { 'refused', now, index, reason, longest }
else
  answer = { 'admitted', now, second }
  for i = 1, subjects do
    local wkey, ckey, bkey = KEYS[i * 3 - 1], KEYS[i * 3], KEYS[i * 3 + 1]
    local w = windows[i]
    if w then
      redis.call('HINCRBY', wkey, 'r' .. w.at, 1)
      redis.call('HINCRBY', wkey, 't' .. w.at, whole(tokens))
      w.last, w.requests, w.tokens = w.at, w.requests + 1, w.tokens + tokens
      keep(wkey, w)
      room[i][1], room[i][2], room[i][3] = w.requests, w.tokens, w.at
    end
    -- Counted whether there is a limit or not: one may come while the call is under way.
    redis.call('HINCRBY', ckey, me, 1)
    redis.call('PEXPIRE', ckey, 7200000)
    if budgets[i] then
      redis.call('HINCRBY', bkey, 'total', whole(cost))
      redis.call('HINCRBY', bkey, 'p:' .. ledger, whole(cost))
      room[i][4] = room[i][4] + cost
    end
  end
end
for i = 1, subjects do
  for j = 1, 4 do answer[#answer + 1] = whole(room[i][j]) end
end
return answer
`

/**
 * KEYS as for ADMIT. ARGV ahead, me, ledger, second of the admission (-1: was not counted here), and what is to be added
 * to requests, tokens and cost; then for each subject whether its window was counted (0, 1) and the start of the period
 * of its budget (-1: none). What is not there any more is not corrected.
 */
export const SETTLE = `${PRELUDE}
local ledger, at = ARGV[3], tonumber(ARGV[4])
local subjects = (#KEYS - 1) / 3
for i = 1, subjects do
  local wkey, ckey, bkey = KEYS[i * 3 - 1], KEYS[i * 3], KEYS[i * 3 + 1]
  local a = 7 + (i - 1) * 2
  if ARGV[a + 1] == '1' and at >= 0 and (ARGV[5] ~= '0' or ARGV[6] ~= '0') then
    local v = redis.call('HMGET', wkey, 'first', 'last')
    if v[1] and at >= tonumber(v[1]) and at <= tonumber(v[2]) then
      redis.call('HINCRBY', wkey, 'r' .. at, ARGV[5])
      redis.call('HINCRBY', wkey, 'requests', ARGV[5])
      redis.call('HINCRBY', wkey, 't' .. at, ARGV[6])
      redis.call('HINCRBY', wkey, 'tokens', ARGV[6])
    end
  end
  if redis.call('HEXISTS', ckey, me) == 1 and redis.call('HINCRBY', ckey, me, -1) <= 0 then
    redis.call('HDEL', ckey, me)
  end
  if ARGV[a + 2] ~= '-1' and ARGV[7] ~= '0' then
    local v = redis.call('HMGET', bkey, 'start', 'm:' .. ledger)
    if v[1] == ARGV[a + 2] and v[2] == me then
      redis.call('HINCRBY', bkey, 'total', ARGV[7])
      redis.call('HINCRBY', bkey, 'p:' .. ledger, ARGV[7])
    end
  end
end
return 1
`

/**
 * KEYS members. ARGV ahead, me, ms to live, who we were before ('': nobody). From now on we are a member. Answers the time,
 * and whether we were still known by our former name (0, 1).
 */
export const JOIN = `${PRELUDE}
local known = redis.call('ZSCORE', members, ARGV[4]) and 1 or 0
if ARGV[4] ~= '' then redis.call('ZREM', members, ARGV[4]) end
redis.call('ZREMRANGEBYSCORE', members, '-inf', now)
redis.call('ZADD', members, now + tonumber(ARGV[3]), me)
redis.call('PEXPIRE', members, 86400000)
return { now, known }
`

/** KEYS members. ARGV ahead, me, ms to live. 0: we were taken for dead, and have to join anew. */
export const RENEW = `${PRELUDE}
if not alive(me) then return 0 end
redis.call('ZADD', members, now + tonumber(ARGV[3]), me)
return 1
`

/**
 * What we hold, told as a whole after joining. KEYS members, then c, b of some subjects. ARGV ahead, me, ledger; then for
 * each subject: calls under way, start and end of its budget's period (-1: none), and our part of it.
 */
export const RESTORE = `${PRELUDE}
local ledger = ARGV[3]
for i = 1, (#KEYS - 1) / 2 do
  local ckey, bkey = KEYS[i * 2], KEYS[i * 2 + 1]
  local a = 3 + (i - 1) * 4
  if tonumber(ARGV[a + 1]) > 0 then
    redis.call('HSET', ckey, me, ARGV[a + 1])
    redis.call('PEXPIRE', ckey, 7200000)
  end
  local startMs, endMs, own = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  if startMs >= 0 and now >= startMs and now < endMs then
    local v = redis.call('HMGET', bkey, 'start', 'total', 'p:' .. ledger)
    if tonumber(v[1]) ~= startMs then
      redis.call('DEL', bkey)
      v = {}
    end
    local total = (tonumber(v[2]) or 0) - (tonumber(v[3]) or 0) + own
    redis.call('HSET', bkey, 'start', ARGV[a + 2], 'total', whole(total), 'm:' .. ledger, me, 'p:' .. ledger, whole(own))
    redis.call('PEXPIRE', bkey, endMs - now + 3600000)
  end
end
return 1
`

/** KEYS members. ARGV ahead, me. We hold nothing any more. */
export const LEAVE = `${PRELUDE}
redis.call('ZREM', members, me)
return 1
`
