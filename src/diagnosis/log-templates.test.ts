import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mask, TemplateMiner } from './log-templates.ts'

const mine = (lines: readonly string[]) => {
  const miner = new TemplateMiner()
  const given = lines.map((line) => miner.add(line))
  const ids = given.map((id) => miner.currentId(id))
  return { ids, texts: [...new Set(ids)].map((id) => miner.findTemplate(id)?.text) }
}

describe('TemplateMiner', () => {
  it('gives lines that differ in numbers, addresses and ids one template', () => {
    const { ids, texts } = mine([
      'served GET /carts/17 in 23ms for 10.0.0.7:4711 request 4f2a9c1e77',
      'served GET /carts/18 in 9ms for 10.0.0.9:80 request 0b77ee8812',
    ])
    expect(ids).toEqual([1, 1])
    expect(texts).toEqual(['served GET <*> in <*> for <*> request <*>'])
  })

  it('gives lines that say different things different templates, however alike', () => {
    expect(mine(['VM started on host h1', 'VM paused on host h2', 'VM started on host h3']).ids).toEqual([1, 2, 1])
    expect(mine(['task t_1 went from NEW to RUNNING', 'task t_2 went from RUNNING to DONE']).ids).toEqual([1, 2])
  })

  it('takes a word for a variable once many different ones stood at its place, and then for lines before as well', () => {
    const lines = ['anna', 'ben', 'carla', 'dino', 'eva', 'finn'].map(
      (name) => `password refused for ${name} by door 2`,
    )
    expect(mine(lines.slice(0, 3)).ids).toEqual([1, 2, 3])
    expect(mine(lines)).toEqual({ ids: [1, 1, 1, 1, 1, 1], texts: ['password refused for <*> by door <*>'] })
  })

  it('joins a word to a masked value at the same place', () => {
    expect(mine(['connect from mx7.example.org port 25', 'connect from unknown port 25']).ids).toEqual([1, 1])
  })

  it('takes what stands before = for a key, however many there are', () => {
    const keys = ['os', 'user', 'home', 'tmp', 'locale', 'zone', 'shell'].map(
      (key) => `environment of server: ${key}=x1`,
    )
    expect(new Set(mine(keys).ids).size).toBe(keys.length)
  })

  it('keeps the first word', () => {
    const names = ['cron', 'cups', 'ntp', 'dbus', 'sshd', 'udev', 'auditd'].map((name) => `${name} startup succeeded`)
    expect(new Set(mine(names).ids).size).toBe(names.length)
  })

  it('stays bounded however many kinds of line there are', () => {
    const miner = new TemplateMiner()
    let highest = 0
    for (let i = 0; i < 12_000; i++) {
      const letters = i.toString(36).replaceAll(/\d/g, (digit) => String.fromCharCode(65 + Number(digit)))
      highest = Math.max(highest, miner.add(`${letters.repeat(2)}x only ${letters}y here ${'very '.repeat(i % 5)}`))
    }
    expect(highest).toBeLessThanOrEqual(10_200)
  })

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (lines) => {
        const miner = new TemplateMiner()
        for (const line of lines) expect(miner.findTemplate(miner.add(line))).toBeDefined()
      }),
    )
  })

  it('never lets a line that was seen before be of another template than it', () => {
    const word = fc.constantFrom('open', 'close', 'user', '=', '10', 'a.b', ':', '(', ')', 'x', 'y', 'z', 'v', 'w')
    const line = fc.array(word, { maxLength: 8 }).map((words) => words.join(' '))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
        const { ids } = mine([...lines, ...lines])
        expect(ids.slice(lines.length)).toEqual(ids.slice(0, lines.length))
      }),
    )
  })
})

describe('mask', () => {
  it.each([
    ['took 5.2 KB, free 384.0 B of <1 sec', 'took <*>, free <*> of <*>'],
    ['sent 18846 bytes (18.4 KB) in 00:01', 'sent <*> in <*>'],
    ['at Fri Jun 17 07:07:00 2005 and 2017-05-16 05:00:00', 'at <*> and <*>'],
    ['from fe80::1:ff2 via 00:11:43:e3:ba:c3 to [2001:db8::7]', 'from <*> via <*> to [<*>]'],
    ['open C:\\Logs\\a for x, /var/log/x.log: no, https://x.org/y?z=1', 'open <*> for x, <*>: no, <*>'],
    ['eth0 SOCKS5 worker-7 core.31 blk_-12', 'eth<*> SOCKS<*> <*>'],
    ['delete blk_1 blk_2 blk_3', 'delete <*>'],
    ['nodes a-1 0x1f <ok> a-2 0x2f <ok> a-3 0x3f <ok>', 'nodes <*> <ok>'],
    ['stats=[] list=[1,2, 3] done()', 'stats=[<*>] list=[<*>] done()'],
    ['from 10.0.0.1 () at 3', 'from <*> (<*>) at <*>'],
    ['ready=true,policy=3 ws=null', 'ready=<*>,policy=<*> ws=<*>'],
    ['for user anna by x, user from y', 'for user <*> by x, user from y'],
    ['fields.........................1', 'fields...<*>'],
    ['note 0|com.example|0|null|17', 'note <*>'],
    ['torus x+ wire 80% ffffffff', 'torus x+ wire <*>'],
    ['Can\'t find "a" in com.example.Service: 6 > 3', 'Can\'t find "a" in com.example.Service: <*>'],
  ])('%s', (line, masked) => {
    expect(mask(line)).toBe(masked)
    expect(mask(masked)).toBe(masked)
  })
})
