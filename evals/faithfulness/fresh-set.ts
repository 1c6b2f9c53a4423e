// A second set, written by hand when the check was finished, about other things than the first one and in other words: runbooks of
// name service, queues and certificates, a report of a company, a leaflet of a medicine. Before anything was mended by
// it the check kept 31 sentences of which 58 % were faithful, and 67 % of the faithful ones; since then it shows no more than that.
import { type Asked, type Item, not, yes } from './item.ts'

export const DOCUMENTS: Readonly<Record<string, string>> = {
  'dns.md': `# Resolver answers slowly

Two resolvers serve each rack, and hosts ask them in turn. The resolver keeps answers for at most one hour, whatever lifetime the zone gives them. Failed look-ups are kept for 30 seconds.

If the alert ResolverSlow fires, compare the query rate with that of yesterday. A rate that is five times higher is usually a client that retries without a pause. Find it with \`dnstop eth0\`, and block its address at the rack switch. Do not restart both resolvers at once: the rack would have no name service for about 40 seconds.

Since version 4 the resolver drops requests longer than 512 bytes that arrive over UDP. Clients then ask again over TCP.
`,
  'queue.md': `# Consumers fall behind

The orders topic has 24 partitions and is read by eight consumers. Each of them commits its position every five seconds. When a consumer dies, its partitions are given to the others after 45 seconds.

Lag grows for one of three reasons: a slow database, a poisoned message, or too few consumers. A poisoned message is one that a consumer cannot parse; it is tried three times and then moved to orders.dead. Nobody reads orders.dead automatically. Tell the owner of the producer, and replay it by hand with \`queuectl replay orders.dead\` when the bug is fixed.

More than 24 consumers do not help, because a partition is read by one consumer only.
`,
  'certificates.md': `# Certificates

Certificates of public hosts come from an external authority and are valid for 90 days. They are renewed automatically 30 days before they expire. Internal certificates are issued by Vault and live for 24 hours.

The alert CertificateExpiresSoon means that a renewal has failed at least ten times. Check that port 80 of the host can be reached from outside, because the authority verifies the host there. After the cause is removed, run \`certctl renew HOST --force\`. Renewing needs no restart: the proxy loads new certificates within a minute.

Never copy a private key to another host. Request a second certificate instead.
`,
  'results.md': `# Results of the third quarter

Revenue rose by 12 % to 418.6 million euros, mainly because of higher sales in Asia. In Europe revenue fell by 3 %. The operating margin was 9.4 % after 8.1 % in the same quarter of last year.

Net debt declined from 210 million to 164 million euros. The company repaid a bond of 50 million euros in August, two years before it was due. The dividend remains unchanged at 1.10 euros a share.

For the full year the board expects revenue between 1.62 and 1.68 billion euros. It no longer expects the plant in Porto to open this year; the opening was moved to the second quarter of next year. Anna Keller will succeed Jorge Pinto as chief financial officer on 1 January.
`,
  'leaflet.md': `# Veradol 200 mg

Adults take one tablet every eight hours with food, and no more than three tablets in a day. Children under twelve must not take Veradol. Do not take it for longer than five days without asking a doctor.

Veradol must not be used together with warfarin, because it increases the risk of bleeding. It may be used during the first six months of pregnancy only if a doctor advises it; in the last three months it must not be used.

The most common side effects are nausea and headache, which about one in ten patients has. A rash is rare. Stop taking the tablets and see a doctor at once if the skin turns yellow. Store the tablets below 25 °C. They can be used for six months after the bottle was opened.
`,
}

export const ITEMS: readonly Item[] = [
  yes('dns.md', 'Each rack is served by two resolvers.'),
  yes('dns.md', 'Answers are kept for one hour at most.'),
  yes('dns.md', 'A client that retries without a pause is the usual reason for a query rate five times higher.'),
  yes('dns.md', 'Find the client with `dnstop eth0` and block its address at the rack switch.'),
  yes('dns.md', 'Restarting both resolvers at once would leave the rack without name service for about 40 seconds.'),
  yes('dns.md', 'Requests of more than 512 bytes over UDP are dropped, and clients ask again over TCP.'),
  not('dns.md', 'Restart both resolvers at once.'),
  not('dns.md', 'Failed look-ups are kept for one hour.'),
  not('dns.md', 'Requests longer than 512 bytes that arrive over TCP are dropped.'),
  not('dns.md', 'The resolver keeps answers for at least one hour.'),
  not('dns.md', 'Block its address at the firewall.'),
  yes('queue.md', 'Eight consumers read the 24 partitions of the orders topic.'),
  yes('queue.md', 'The partitions of a dead consumer are given to the others after 45 seconds.'),
  yes('queue.md', 'A message that cannot be parsed is tried three times before it is moved to orders.dead.'),
  yes('queue.md', 'It makes no sense to run more than 24 consumers, because each partition is read by only one.'),
  yes('queue.md', 'Replay orders.dead by hand once the bug is fixed.'),
  not('queue.md', 'The orders topic has eight partitions and is read by 24 consumers.'),
  not('queue.md', 'Messages in orders.dead are replayed automatically.'),
  not('queue.md', 'A poisoned message is tried five times and then moved to orders.dead.'),
  not('queue.md', 'Replay it with `queuectl purge orders.dead`.'),
  not('queue.md', 'More than 24 consumers help.'),
  yes('certificates.md', 'Public certificates are valid for 90 days and renewed 30 days before they expire.'),
  yes('certificates.md', 'Vault issues internal certificates, which live for 24 hours.'),
  yes('certificates.md', 'The proxy loads a new certificate within a minute, so no restart is needed.'),
  yes('certificates.md', 'The authority verifies the host on port 80.'),
  not('certificates.md', 'Certificates of public hosts are valid for 30 days.'),
  not('certificates.md', 'Copy the private key to the other host.'),
  not('certificates.md', 'CertificateExpiresSoon means that a renewal has failed once.'),
  not('certificates.md', 'Check that port 443 of the host can be reached from outside.'),
  not('certificates.md', 'After renewing, the proxy has to be restarted.'),
  yes('results.md', 'Revenue grew by 12 % and reached 418.6 million euros.'),
  yes('results.md', 'European revenue fell by 3 %.'),
  yes('results.md', 'Net debt is down to 164 million euros from 210 million.'),
  yes('results.md', 'The dividend stays at 1.10 euros a share.'),
  yes('results.md', 'Anna Keller becomes chief financial officer on 1 January.'),
  yes('results.md', 'The plant in Porto will open in the second quarter of next year.'),
  not('results.md', 'In Europe revenue rose by 3 %.'),
  not('results.md', 'Net debt rose from 164 million to 210 million euros.'),
  not('results.md', 'The operating margin was 8.1 % after 9.4 % in the same quarter of last year.'),
  not('results.md', 'Jorge Pinto will succeed Anna Keller as chief financial officer on 1 January.'),
  not('results.md', 'The company repaid a bond of 50 million dollars in August.'),
  not('results.md', 'The plant in Porto opens this year.'),
  not('results.md', 'The dividend was raised to 1.10 euros a share.'),
  yes('leaflet.md', 'Adults may take three tablets a day at most, one every eight hours.'),
  yes('leaflet.md', 'Veradol must not be given to children under twelve.'),
  yes('leaflet.md', 'Together with warfarin it increases the risk of bleeding.'),
  yes('leaflet.md', 'About one in ten patients has nausea or headache.'),
  yes('leaflet.md', 'See a doctor at once if your skin turns yellow.'),
  yes('leaflet.md', 'In the last three months of pregnancy it must not be used.'),
  not('leaflet.md', 'Adults take three tablets every eight hours.'),
  not('leaflet.md', 'Children under twelve take one tablet every eight hours.'),
  not('leaflet.md', 'Veradol reduces the risk of bleeding when it is used together with warfarin.'),
  not('leaflet.md', 'A rash is common.'),
  not('leaflet.md', 'It may be used in the last three months of pregnancy.'),
  not('leaflet.md', 'Store the tablets above 25 °C.'),
  not('leaflet.md', 'Take Veradol for at least five days.'),
  not('leaflet.md', 'About one in a hundred patients has nausea.'),
]

export const QUESTIONS: readonly Asked[] = [
  { question: 'How long does the resolver keep answers?', expects: 'one hour' },
  { question: 'What happens to a message that cannot be parsed?', expects: 'orders.dead' },
  { question: 'How do I force the renewal of a certificate?', expects: 'certctl renew' },
  { question: 'By how much did revenue rise in the third quarter?', expects: '12 %' },
  { question: 'May Veradol be taken together with warfarin?', expects: 'must not' },
  { question: 'Who will be the next chief financial officer?', expects: 'Anna Keller' },
  { question: 'How do I add a partition to the payments topic?', expects: null },
  { question: 'What was the net profit per share?', expects: null },
  { question: 'Does Veradol interact with grapefruit juice?', expects: null },
  { question: 'How is the time synchronised between racks?', expects: null },
]
