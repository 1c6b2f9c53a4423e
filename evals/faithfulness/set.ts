// Written by hand for this: documents of a shop that is not, sentences that are so or not by them, and questions that they do
// and do not answer. No sentence was made to fit the checker.
import { type Asked, type Item, not, yes } from './item.ts'

export const DOCUMENTS: Readonly<Record<string, string>> = {
  'pool.md': `# Inventory: connection pool

The inventory service keeps a pool of 20 connections to PostgreSQL. When all of them are in use, a request waits for up to 30 seconds and then fails with PoolTimeoutError.

Raise the pool by setting POOL_MAX and restart the service. Do not set POOL_MAX above 80: the database accepts 100 connections in total, and 20 are reserved for migrations.

Leaked connections are the most common cause. They are seen as sessions in the state "idle in transaction" that are older than five minutes.
`,
  'checkout.md': `# Checkout is slow

Checkout calls payment and inventory one after the other. Its latency is therefore the sum of both. The alert CheckoutSlow fires when p99 is above 1.5 s for 10 minutes.

First look whether payment is slow: its dashboard shows provider latency by bank. If only one bank is slow, open its circuit with \`shopctl circuit open BANK\`. Orders of that bank are then queued and charged later. No order is lost.

Never restart checkout while orders are being charged. A restart cancels charges that are under way, and customers may be charged twice.
`,
  'cache.md': `# Redis cache

The catalogue is cached in Redis for 15 minutes. A cold cache increases the load on the database about eightfold. Eviction uses allkeys-lru with a limit of 4 GB.

After a failover the cache is empty. Warm it with \`shopctl cache warm --top 5000\` before traffic is sent back. Warming takes about 3 minutes.

Redis does not store sessions. Sessions are kept in signed cookies.
`,
  'deploy.md': `# Deploys

| step | share of traffic | wait |
| --- | --- | --- |
| canary | 5 % | 15 minutes |
| half | 50 % | 10 minutes |
| full | 100 % | none |

A deploy is rolled back automatically when the error rate of the canary is more than twice that of the old version. Roll back by hand with \`shopctl rollback SERVICE\`. A rollback takes less than one minute and needs no approval.

Deploys are forbidden on Fridays after 14:00 and during sales.
`,
  'backup.md': `# Backups

The database is backed up every night at 02:00 UTC and the backups are kept for 35 days. Write-ahead logs are archived every minute, so at most one minute of data is lost in a disaster.

A restore of the full database takes about four hours. It was last tested by Maria Lindqvist in March. Backups are encrypted with a key in the vault; without this key they cannot be read.
`,
}

export const ITEMS: readonly Item[] = [
  yes('pool.md', 'The inventory service has a pool of 20 connections to PostgreSQL.'),
  yes('pool.md', 'A request waits for up to 30 seconds when all connections are in use.'),
  yes('pool.md', 'It then fails with PoolTimeoutError.'),
  yes('pool.md', 'Set POOL_MAX to raise the pool, then restart the service.'),
  yes('pool.md', 'POOL_MAX must not be set above 80.'),
  yes('pool.md', 'The most common cause is leaked connections.'),
  yes('pool.md', 'Of the 100 connections that the database accepts, 20 are reserved for migrations.'),
  not('pool.md', 'The inventory service keeps a pool of 200 connections to PostgreSQL.'),
  not('pool.md', 'A request waits for up to 30 minutes and then fails with PoolTimeoutError.'),
  not('pool.md', 'Set POOL_MAX above 80.'),
  not('pool.md', 'The inventory service keeps a pool of 20 connections to MySQL.'),
  not('pool.md', 'The database accepts 20 connections in total.'),
  not('pool.md', 'Leaked connections are not a common cause.'),
  not('pool.md', 'Lower the pool by setting POOL_MIN and restart the service.'),
  yes('checkout.md', 'Checkout calls payment and inventory one after the other.'),
  yes('checkout.md', 'CheckoutSlow fires when p99 is above 1.5 s for 10 minutes.'),
  yes('checkout.md', 'If only one bank is slow, open its circuit with `shopctl circuit open BANK`.'),
  yes('checkout.md', 'No order is lost: orders of that bank are queued and charged later.'),
  yes('checkout.md', 'Do not restart checkout while orders are being charged.'),
  yes('checkout.md', 'Customers may be charged twice after a restart, because it cancels charges under way.'),
  not('checkout.md', 'Restart checkout while orders are being charged.'),
  not('checkout.md', 'CheckoutSlow fires when p99 is below 1.5 s for 10 minutes.'),
  not('checkout.md', 'CheckoutSlow fires when p99 is above 10 s for 1.5 minutes.'),
  not('checkout.md', 'Orders of that bank are lost.'),
  not('checkout.md', 'Close its circuit with `shopctl circuit close BANK`.'),
  not('checkout.md', 'Checkout calls payment and shipping at the same time.'),
  not('checkout.md', 'Email the finance team before you open a circuit.'),
  yes('cache.md', 'The catalogue is cached in Redis for 15 minutes.'),
  yes('cache.md', 'After a failover, warm the cache with `shopctl cache warm --top 5000` before traffic is sent back.'),
  yes('cache.md', 'The load on the database increases about eightfold when the cache is cold.'),
  yes('cache.md', 'Sessions are not stored in Redis but kept in signed cookies.'),
  not('cache.md', 'Redis stores sessions.'),
  not('cache.md', 'A cold cache decreases the load on the database about eightfold.'),
  not('cache.md', 'Warm the cache with `shopctl cache warm --top 5000` after traffic is sent back.'),
  not('cache.md', 'Eviction uses allkeys-lfu with a limit of 4 GB.'),
  not('cache.md', 'Warming takes about 15 minutes.'),
  not('cache.md', 'The catalogue is cached in Memcached for 15 minutes.'),
  yes('deploy.md', 'The canary gets 5 % of the traffic.'),
  yes('deploy.md', 'A rollback takes less than one minute and needs no approval.'),
  yes('deploy.md', 'Deploys are forbidden during sales and on Fridays after 14:00.'),
  yes(
    'deploy.md',
    'A deploy is rolled back automatically when the error rate of the canary is more than twice that of the old version.',
  ),
  not('deploy.md', 'The canary gets 50 % of the traffic.'),
  not('deploy.md', 'A rollback needs approval.'),
  not('deploy.md', 'Deploys are allowed on Fridays after 14:00.'),
  not('deploy.md', 'A rollback takes more than one minute.'),
  not('deploy.md', 'A deploy is rolled back automatically when the latency of the canary rises.'),
  yes('backup.md', 'Backups are kept for 35 days.'),
  yes('backup.md', 'Without the key in the vault the backups cannot be read.'),
  yes('backup.md', 'Maria Lindqvist last tested a restore in March.'),
  not('backup.md', 'Backups are kept for 53 days.'),
  not('backup.md', 'Backups can be read without the key.'),
  not('backup.md', 'Erik Lindqvist last tested a restore in March.'),
  not('backup.md', 'At most four hours of data is lost in a disaster.'),
  not('backup.md', 'The database is backed up every night at 14:00 UTC.'),
]

export const QUESTIONS: readonly Asked[] = [
  { question: 'How many connections does the pool of inventory have?', expects: '20' },
  { question: 'What do I do when one bank is slow?', expects: 'shopctl circuit open' },
  { question: 'How do I warm the cache after a failover?', expects: 'shopctl cache warm' },
  { question: 'When are deploys forbidden?', expects: 'Fridays' },
  { question: 'How long are backups kept?', expects: '35 days' },
  { question: 'Where are sessions kept?', expects: 'cookies' },
  { question: 'How do I renew the TLS certificate of the load balancer?', expects: null },
  { question: 'Who is on call for the warehouse robots?', expects: null },
  { question: 'What is the phone number of the fraud team?', expects: null },
  { question: 'How is the Kafka consumer lag reduced?', expects: null },
  { question: 'Which region does the mobile app use?', expects: null },
  { question: 'How much memory does the search cluster need?', expects: null },
]
