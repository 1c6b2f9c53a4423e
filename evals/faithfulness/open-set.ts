// The open half of a fourth set: eight texts of different kinds, written before the check was looked at again, and looked at while
// it was mended. Sentences as models say them: rewordings, turned negations, swapped numbers and names, additions that
// sound right, two facts made into one. closed-set.ts is its other half.
import { type Item, not, yes } from './item.ts'

export const DOCUMENTS: Readonly<Record<string, string>> = {
  'failover.md': `# Failover of the session store

The session store runs on three nodes: one leader and two followers. A follower that is more than 20 seconds behind is never promoted. Promotion takes about eight seconds, during which writes are refused and reads go on.

To promote a follower by hand, run \`sessctl promote NODE\` on any node. Check the delay first with \`sessctl lag\`. If both followers are behind, page the storage team and do not promote anyone.

After a failover the old leader comes back as a follower. It must not be started before its clock is in step, because a leader with a wrong clock once expired 40,000 sessions in March.
`,
  'forklift.md': `# Rules for the warehouse

Only staff with a valid licence may drive a forklift. The licence is renewed every two years. Inside the hall the limit is 8 km/h, in the yard 15 km/h.

Loads above 1,200 kg need a second person who guides the driver. Pallets are stacked four high at most; glass is never stacked. When the alarm sounds, drivers lower the fork, switch off the engine and leave through the nearest door.

Batteries are charged in room B2 only. Smoking there is forbidden, since charging sets hydrogen free. Accidents are reported to Mrs Okafor within 24 hours, near misses by the end of the week.
`,
  'lease.md': `# Lease of the flat in Lindenstrasse

The rent is 940 euros a month, plus 180 euros for heating and water. It is due on the third working day. The deposit is three months' rent without the extras and may be paid in three parts.

The tenant may keep cats. A dog needs the landlord's written consent. Small repairs up to 90 euros are paid by the tenant, larger ones by the landlord.

Either side may end the lease with three months' notice. If the tenant has lived there for more than five years, the landlord must give six months' notice. The flat has to be returned swept clean; it does not have to be painted.
`,
  'bees.md': `# Keeping bees in the first year

A strong colony has about 50,000 bees in June and fewer than 10,000 in winter. The queen lays up to 2,000 eggs a day. Drones do not collect nectar and are thrown out in August.

Feed the colony with sugar syrup after the last harvest, not before it. A colony needs 15 kg of stores for the winter. Treat it against mites in late July and again in December, when there is no brood.

Open the hive only above 12 °C. Smoke calms the bees because they fill themselves with honey. Never stand in front of the entrance. If robbers attack a weak hive, make its entrance smaller.
`,
  'limits.md': `# Limits of the public API

Each key may send 600 requests a minute and 20,000 a day. Requests beyond that get status 429 with a header Retry-After. Failed requests count as well; requests to \`/status\` do not.

Batches may hold 500 items, and at most 4 MB. A batch is processed in order, and the first item that fails ends it: the items before it stay. Use the header Idempotency-Key to send a batch again without doing anything twice; keys are kept for 48 hours.

Version 1 of the API is read-only since January and will be switched off on 30 June. Version 2 needs TLS 1.2 or newer.
`,
  'trial.md': `# Trial of Sorelin against migraine

The trial had 412 patients in nine clinics. Half of them received 75 mg of Sorelin a day for twelve weeks, the others a placebo. Days with migraine fell from 7.8 to 4.1 a month with Sorelin and from 7.6 to 6.2 with placebo.

Tiredness was the most frequent side effect, with 14 % of patients on Sorelin and 5 % on placebo. Nobody died. Eleven patients stopped treatment because of side effects, nine of them on Sorelin.

Patients with heart disease were excluded, so the trial says nothing about them. The effect did not differ between women and men. The maker of Sorelin paid for the trial but had no access to the data before they were published.
`,
  'museum.md': `# The house of the clockmakers

The museum was founded in 1931 by the watchmaker Elise Brandt, who left her collection of 260 clocks to the town. Her nephew Karl led it from 1948 to 1972. A fire destroyed the north wing in 1956; the clocks had been moved to the cellar two days earlier and were not damaged.

The oldest piece is a tower clock of 1583 from Ansbach. It still goes, but it does not strike, as the bell was melted down in 1917. The museum is closed on Mondays. Admission is free for pupils, and costs 7 euros for everybody else.

The library may be used by anyone who writes a week ahead. Photographs are allowed without flash.
`,
  'backup.md': `# Backups of the ledger database

A full backup is taken every Sunday at 02:00 and an incremental one every six hours. Full backups are kept for 90 days, incremental ones for 14. All are encrypted with the key in the vault at \`kv/ledger-backup\` and copied to a second region.

Restores are tried on the first Monday of each month by whoever is on call. The last trial took 52 minutes; the goal is one hour. If a trial fails, no schema change may be deployed until it has succeeded.

Do not delete a backup by hand, even a broken one, without asking Priya Raman. Snapshots of the disk are no backup, since they share the account with the database.
`,
}

export const ITEMS: readonly Item[] = [
  yes('failover.md', 'The session store consists of three nodes, one of which is the leader.'),
  yes('failover.md', 'Writes are refused for about eight seconds while a follower is promoted, but reads continue.'),
  yes('failover.md', 'You can promote a follower manually by running `sessctl promote NODE` on any node.'),
  yes('failover.md', 'Followers more than 20 seconds behind are not promoted.'),
  yes('failover.md', 'If both followers lag behind, page the storage team instead of promoting one.'),
  yes('failover.md', 'In March, a leader with a wrong clock expired 40,000 sessions.'),
  not('failover.md', 'The session store consists of two nodes and three followers.'),
  not('failover.md', 'Reads are refused during promotion, and writes go on.'),
  not('failover.md', 'A follower that is more than eight seconds behind is never promoted.'),
  not('failover.md', 'If both followers are behind, promote one of them and page the storage team.'),
  not('failover.md', 'After a failover the old leader becomes the leader again.'),
  not('failover.md', 'Start the old leader before its clock is in step.'),
  not('failover.md', 'Promotion takes about eight seconds and is rolled back automatically if it fails.'),
  yes('forklift.md', 'Forklifts may be driven only by staff holding a valid licence.'),
  yes('forklift.md', 'The speed limit is 8 km/h inside the hall and 15 km/h in the yard.'),
  yes('forklift.md', 'For loads of more than 1,200 kg a second person has to guide the driver.'),
  yes('forklift.md', 'Glass must never be stacked, and pallets at most four high.'),
  yes('forklift.md', 'Accidents have to be reported to Mrs Okafor within 24 hours.'),
  yes('forklift.md', 'Smoking in room B2 is forbidden because charging sets hydrogen free.'),
  not('forklift.md', 'The speed limit is 15 km/h inside the hall.'),
  not('forklift.md', 'Near misses are reported within 24 hours.'),
  not('forklift.md', 'Glass is stacked four high at most.'),
  not('forklift.md', 'Smoking is allowed in room B2.'),
  not('forklift.md', 'The licence is renewed every four years.'),
  not('forklift.md', 'When the alarm sounds, drivers raise the fork and leave through the nearest door.'),
  not('forklift.md', 'The driver guides a second person when the load is above 1,200 kg.'),
  yes('lease.md', 'The monthly rent is 940 euros, plus 180 euros for heating and water.'),
  yes('lease.md', 'A dog may be kept only with written consent of the landlord.'),
  yes('lease.md', 'The tenant pays for small repairs of up to 90 euros.'),
  yes('lease.md', 'After more than five years the landlord has to give six months of notice.'),
  yes('lease.md', 'The deposit can be paid in three parts.'),
  yes('lease.md', 'The flat need not be painted when it is returned.'),
  not('lease.md', 'The tenant may keep a dog without consent.'),
  not('lease.md', 'Small repairs up to 90 euros are paid by the landlord.'),
  not('lease.md', 'The tenant must give six months of notice after five years.'),
  not('lease.md', 'The rent is 180 euros a month, plus 940 euros for heating and water.'),
  not('lease.md', 'The flat has to be painted before it is returned.'),
  not('lease.md', 'The rent is due on the first working day.'),
  not('lease.md', 'The deposit is three months of rent including the extras.'),
  yes('bees.md', 'In June a strong colony counts about 50,000 bees.'),
  yes('bees.md', 'A queen can lay up to 2,000 eggs per day.'),
  yes('bees.md', 'Sugar syrup is fed after the last harvest.'),
  yes('bees.md', 'For the winter the colony needs stores of 15 kg.'),
  yes('bees.md', 'Mites are treated in late July and a second time in December.'),
  yes('bees.md', 'If a weak hive is attacked by robbers, reduce the size of its entrance.'),
  not('bees.md', 'Feed the colony before the last harvest.'),
  not('bees.md', 'Drones collect nectar and are thrown out in August.'),
  not('bees.md', 'In winter a strong colony has about 50,000 bees.'),
  not('bees.md', 'Open the hive only below 12 °C.'),
  not('bees.md', 'Stand in front of the entrance.'),
  not('bees.md', 'Make the entrance larger if robbers attack a weak hive.'),
  not('bees.md', 'The queen is thrown out in August.'),
  yes('limits.md', 'A key is limited to 600 requests a minute and 20,000 a day.'),
  yes('limits.md', 'Failed requests count towards the limit, while requests to `/status` do not.'),
  yes('limits.md', 'A batch can contain up to 500 items and 4 MB.'),
  yes('limits.md', 'The first failing item ends the batch, and the items before it stay.'),
  yes('limits.md', 'Idempotency keys are kept for 48 hours.'),
  yes('limits.md', 'Version 1 has been read-only since January and will be switched off on 30 June.'),
  not('limits.md', 'Requests to `/status` count as well.'),
  not('limits.md', 'Each key may send 20,000 requests a minute.'),
  not('limits.md', 'The first item that fails ends the batch, and the items before it are rolled back.'),
  not('limits.md', 'Version 2 will be switched off on 30 June.'),
  not('limits.md', 'A batch is processed in parallel.'),
  not('limits.md', 'Version 1 needs TLS 1.2 or newer.'),
  not('limits.md', 'Requests beyond the limit get status 503 with a header Retry-After.'),
  yes('trial.md', 'The trial included 412 patients from nine clinics.'),
  yes('trial.md', 'With Sorelin, days with migraine fell from 7.8 to 4.1 a month.'),
  yes('trial.md', 'The most frequent side effect was tiredness, which 14 % of patients on Sorelin had.'),
  yes('trial.md', 'Because patients with heart disease were excluded, the trial says nothing about them.'),
  yes('trial.md', 'The trial was paid for by the maker of Sorelin.'),
  yes('trial.md', 'The effect was no different in women and men.'),
  not('trial.md', 'Days with migraine fell from 7.8 to 4.1 a month with placebo.'),
  not('trial.md', 'Eleven patients on Sorelin stopped treatment because of side effects.'),
  not('trial.md', 'Tiredness was seen in 5 % of patients on Sorelin.'),
  not('trial.md', 'Sorelin is safe for patients with heart disease.'),
  not('trial.md', 'The effect differed between women and men.'),
  not('trial.md', 'The maker of Sorelin had access to the data before they were published.'),
  not('trial.md', 'All patients received 75 mg of Sorelin a day for twelve weeks.'),
  yes('museum.md', 'Elise Brandt, a watchmaker, founded the museum in 1931.'),
  yes('museum.md', 'From 1948 to 1972 the museum was led by her nephew Karl.'),
  yes('museum.md', 'The north wing was destroyed by a fire in 1956.'),
  yes('museum.md', 'The tower clock still goes but does not strike.'),
  yes('museum.md', 'Pupils pay nothing, everybody else 7 euros.'),
  yes('museum.md', 'Photographs may be taken without flash.'),
  not('museum.md', 'Karl Brandt founded the museum in 1948.'),
  not('museum.md', 'The clocks were destroyed by a fire in 1956.'),
  not('museum.md', 'The tower clock strikes, but it does not go.'),
  not('museum.md', 'The museum is open on Mondays.'),
  not('museum.md', 'Admission is free for everybody.'),
  not('museum.md', 'Photographs are not allowed.'),
  not('museum.md', 'The bell was melted down in 1956.'),
  yes('backup.md', 'Full backups are taken on Sundays at 02:00, and incremental ones every six hours.'),
  yes('backup.md', 'Incremental backups are kept for 14 days and full ones for 90.'),
  yes('backup.md', 'No schema change may be deployed after a failed trial until one has succeeded.'),
  yes('backup.md', 'Whoever is on call tries a restore on the first Monday of every month.'),
  yes('backup.md', 'Ask Priya Raman before you delete a backup by hand.'),
  yes('backup.md', 'Disk snapshots are not a backup because they share the account with the database.'),
  not('backup.md', 'Incremental backups are kept for 90 days.'),
  not('backup.md', 'The last trial took one hour.'),
  not('backup.md', 'A broken backup may be deleted by hand.'),
  not('backup.md', 'Snapshots of the disk are kept as a backup in the second region.'),
  not('backup.md', 'A full backup is taken every six hours.'),
  not('backup.md', 'If a trial fails, schema changes may be deployed.'),
  not('backup.md', 'Restores are tried on the first Sunday of each month.'),
]
