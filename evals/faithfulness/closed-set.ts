// The closed half of a fourth set (open-set.ts), written at the same time by the same hand. Nobody looks at which of its
// sentences the check gets wrong, only at the two figures: what the check does on texts that it was never tried on.
import { type Item, not, yes } from './item.ts'

export const DOCUMENTS: Readonly<Record<string, string>> = {
  'drain.md': `# Taking a node out of the cluster

Cordon the node first, then drain it. Draining respects disruption budgets and gives up after 15 minutes. Pods without a controller are not moved; they are lost, so look for them with \`clusterctl orphans NODE\`.

Never drain two nodes of the same zone at the same time. The database pods move last and need up to six minutes each. When the drain hangs, it is nearly always a budget that allows no disruption at all: ask the owner to raise it, and do not delete the budget.

A drained node is kept for three days before it is destroyed. Uncordon it with \`clusterctl uncordon NODE\` if it is needed again.
`,
  'expenses.md': `# Travel expenses

Train journeys are paid in second class; first class is paid from four hours on. Flights need the consent of the head of department, and are not paid for distances under 500 km. A private car is paid with 32 cents a kilometre.

Hotels are paid up to 130 euros a night, in London and Zurich up to 190. Breakfast is included in the daily allowance of 28 euros. Alcohol is never paid.

Claims have to be sent within eight weeks with the original receipts. Later claims are paid only if the traveller was ill. Payment takes ten working days. Questions go to Tomas Lind, complaints to the works council.
`,
  'waterworks.md': `# The waterworks of Halden

The works take 60 % of their water from the river and the rest from eleven wells. The river water is filtered through sand for nine hours; well water needs no filter. Chlorine is added only in summer, when the pipes are warm.

The tank on the hill holds 8,000 cubic metres, enough for about a day. In the drought of 2018 the wells fell by two metres, but the supply was never cut. Nitrate stands at 22 mg per litre and has been falling since 2009; the limit is 50.

A new pipe to Moss will be laid in 2027. It will carry water in both directions, so that either town can help the other.
`,
  'battery.md': `# Data sheet of the cell LX-40

The cell has a capacity of 4.0 Ah at a nominal voltage of 3.6 V. It may be charged at temperatures from 0 to 45 °C and discharged from -20 to 60 °C. The highest charging current is 4 A, the highest discharging current 12 A.

After 800 full cycles at least 80 % of the capacity is left. Cells are delivered at a charge of 30 % and should not be stored full. Stored at 25 °C, a cell loses less than 2 % a month.

Do not connect cells of different age in series. A cell below 2.0 V must not be charged again. Damaged cells are put into sand, not into water.
`,
  'council.md': `# Minutes of the town council of 14 May

The council voted for the new tram line by 31 to 18, with two abstentions. Building begins in spring and costs 74 million, of which the state pays 45 million. The Greens had asked for a second line to the harbour; this was refused.

The swimming hall stays closed until October, as the roof is not safe. Mayor Halvorsen said that a new roof would be cheaper than a new hall. The council will decide on this in September.

Councillor Iqbal was elected head of the school committee. She follows Councillor Berg, who moved away. The fee for kindergartens will not be raised this year.
`,
  'migration.md': `# Moving orders to the new schema

The migration runs in four steps, and each can be undone except the last. Step one adds the new columns. Step two writes to both old and new columns for at least a week. Step three copies the old rows, 5,000 at a time, with a pause of two seconds. Step four drops the old columns.

Do not begin step three while the nightly report runs, between 01:00 and 03:00. The copy may be stopped at any time and goes on from where it was. Compare both sides with \`ordermig verify\`; fewer than ten differences are normal, since orders change while they are compared.

Readers are switched with the flag orders_v2. It is off by default. Switch it on for staff first, and for everybody a day later.
`,
  'tomatoes.md': `# Growing tomatoes

Sow the seeds indoors in March and plant them outside after the middle of May, when frost is over. Leave 60 cm between the plants. Tomatoes want sun for at least six hours a day.

Water them at the root in the morning; wet leaves bring blight. Do not plant tomatoes beside potatoes, for both have the same diseases. Marigolds beside them keep whitefly away.

Pinch out the side shoots of tall kinds once a week; bush tomatoes are not pinched. Feed them every two weeks from the first flowers on. Green fruits ripen indoors beside an apple, which gives off ethylene. Do not keep ripe tomatoes in the fridge.
`,
  'outage.md': `# What happened on 9 October

From 10:42 to 11:27 one card payment in three failed. The cause was a certificate that had expired on two of six gateways. The health check did not notice it, because it spoke to the gateways without TLS.

The first alert came nine minutes after the beginning, from the support team and not from monitoring. At 11:05 the traffic was moved away from both gateways, which helped only in part, as the others were overloaded. The renewed certificates were in place at 11:27.

About 18,400 payments failed; 16,900 of them were repeated by the customers themselves. No payment was taken twice. From now on certificates are renewed 21 days before they expire, and the health check uses TLS. Ines Duarte owns both tasks.
`,
}

export const ITEMS: readonly Item[] = [
  yes('drain.md', 'A node has to be cordoned before it is drained.'),
  yes('drain.md', 'Pods that have no controller are lost when the node is drained.'),
  yes('drain.md', 'Draining gives up after 15 minutes.'),
  yes('drain.md', 'Database pods are moved last, and each takes up to six minutes.'),
  yes('drain.md', 'If a drain hangs, ask the owner to raise the budget.'),
  yes('drain.md', 'The node is destroyed three days after it was drained.'),
  not('drain.md', 'Drain the node first, then cordon it.'),
  not('drain.md', 'If the drain hangs, delete the budget.'),
  not('drain.md', 'Pods without a controller are moved to another node.'),
  not('drain.md', 'Database pods move first and need up to six minutes each.'),
  not('drain.md', 'Two nodes of the same zone may be drained at the same time.'),
  not('drain.md', 'Draining gives up after six minutes.'),
  not('drain.md', 'Draining ignores disruption budgets and gives up after 15 minutes.'),
  yes('expenses.md', 'First class is paid for train journeys of four hours or more.'),
  yes('expenses.md', 'Flights must be agreed to by the head of department.'),
  yes('expenses.md', 'A hotel in Zurich is paid up to 190 euros a night.'),
  yes('expenses.md', 'Claims must be sent with the original receipts within eight weeks.'),
  yes('expenses.md', 'The daily allowance of 28 euros includes breakfast.'),
  yes('expenses.md', 'For a private car 32 cents per kilometre are paid.'),
  not('expenses.md', 'Second class is paid from four hours on.'),
  not('expenses.md', 'Hotels in London are paid up to 130 euros a night.'),
  not('expenses.md', 'Flights are paid only for distances under 500 km.'),
  not('expenses.md', 'Alcohol is included in the daily allowance.'),
  not('expenses.md', 'Complaints go to Tomas Lind.'),
  not('expenses.md', 'Later claims are paid if the traveller was on holiday.'),
  not('expenses.md', 'Payment takes eight weeks.'),
  yes('waterworks.md', 'Sixty per cent of the water comes from the river.'),
  yes('waterworks.md', 'River water passes through sand filters for nine hours.'),
  yes('waterworks.md', 'Chlorine is added in summer only.'),
  yes('waterworks.md', 'The supply was never cut during the drought of 2018.'),
  yes('waterworks.md', 'Nitrate has been falling since 2009 and stands at 22 mg per litre.'),
  yes('waterworks.md', 'The tank on the hill holds 8,000 cubic metres.'),
  not('waterworks.md', 'The works take 60 % of their water from eleven wells.'),
  not('waterworks.md', 'Well water is filtered through sand for nine hours.'),
  not('waterworks.md', 'Chlorine is added only in winter.'),
  not('waterworks.md', 'In the drought of 2018 the supply was cut.'),
  not('waterworks.md', 'Nitrate has been rising since 2009.'),
  not('waterworks.md', 'The limit for nitrate is 22 mg per litre.'),
  not('waterworks.md', 'The new pipe was laid in 2018.'),
  yes('battery.md', 'The LX-40 has a nominal voltage of 3.6 V and a capacity of 4.0 Ah.'),
  yes('battery.md', 'The cell may be discharged at temperatures between -20 and 60 °C.'),
  yes('battery.md', 'At least 80 % of the capacity remains after 800 full cycles.'),
  yes('battery.md', 'A cell stored at 25 °C loses less than 2 % per month.'),
  yes('battery.md', 'Cells below 2.0 V must not be recharged.'),
  yes('battery.md', 'Damaged cells have to be put into sand.'),
  not('battery.md', 'The cell may be charged at temperatures from -20 to 60 °C.'),
  not('battery.md', 'The highest charging current is 12 A.'),
  not('battery.md', 'Damaged cells are put into water.'),
  not('battery.md', 'Cells should be stored full.'),
  not('battery.md', 'A cell below 2.0 V may be charged again.'),
  not('battery.md', 'After 800 full cycles at most 80 % of the capacity is left.'),
  not('battery.md', 'Cells of different age may be connected in series.'),
  yes('council.md', 'The new tram line was accepted by 31 votes to 18.'),
  yes('council.md', 'Of the 74 million the state pays 45 million.'),
  yes('council.md', 'The swimming hall remains closed until October because its roof is unsafe.'),
  yes('council.md', 'Councillor Iqbal now heads the school committee.'),
  yes('council.md', 'The second line to the harbour, which the Greens had asked for, was refused.'),
  yes('council.md', 'Kindergarten fees are not raised this year.'),
  not('council.md', 'The council voted against the new tram line by 31 to 18.'),
  not('council.md', 'The state pays 74 million.'),
  not('council.md', 'The swimming hall opens in September.'),
  not('council.md', 'Councillor Berg follows Councillor Iqbal as head of the school committee.'),
  not('council.md', 'The fee for kindergartens will be raised this year.'),
  not('council.md', 'Mayor Halvorsen asked for a second line to the harbour.'),
  not('council.md', 'A new hall would be cheaper than a new roof, said Mayor Halvorsen.'),
  yes('migration.md', 'All steps except the last one can be undone.'),
  yes('migration.md', 'Old rows are copied 5,000 at a time in step three.'),
  yes('migration.md', 'The copy must not be started between 01:00 and 03:00, while the nightly report runs.'),
  yes('migration.md', 'The flag orders_v2 is switched on for staff first and a day later for everybody.'),
  yes('migration.md', 'If the copy is stopped, it goes on from where it was.'),
  yes('migration.md', 'Fewer than ten differences are normal, because orders change during the comparison.'),
  not('migration.md', 'Each step can be undone.'),
  not('migration.md', 'Step three drops the old columns.'),
  not('migration.md', 'The flag orders_v2 is on by default.'),
  not('migration.md', 'More than ten differences are normal.'),
  not('migration.md', 'Begin step three while the nightly report runs.'),
  not('migration.md', 'Step two copies the old rows for at least a week.'),
  not('migration.md', 'Switch the flag on for everybody first, and for staff a day later.'),
  yes('tomatoes.md', 'Tomato seeds are sown indoors in March.'),
  yes('tomatoes.md', 'There should be 60 cm between plants.'),
  yes('tomatoes.md', 'Water the plants in the morning at the root, because wet leaves bring blight.'),
  yes('tomatoes.md', 'Tomatoes and potatoes have the same diseases, so they should not be planted side by side.'),
  yes('tomatoes.md', 'Side shoots of tall kinds are pinched out every week.'),
  yes('tomatoes.md', 'Feeding starts with the first flowers and is repeated every two weeks.'),
  not('tomatoes.md', 'Plant tomatoes beside potatoes.'),
  not('tomatoes.md', 'Pinch out the side shoots of bush tomatoes once a week.'),
  not('tomatoes.md', 'Sow the seeds outside in March.'),
  not('tomatoes.md', 'Keep ripe tomatoes in the fridge.'),
  not('tomatoes.md', 'Water the leaves in the morning.'),
  not('tomatoes.md', 'Marigolds beside them attract whitefly.'),
  not('tomatoes.md', 'Feed them once a week from the first flowers on.'),
  yes('outage.md', 'Between 10:42 and 11:27 a third of card payments failed.'),
  yes('outage.md', 'An expired certificate on two of the six gateways was the cause.'),
  yes('outage.md', 'The health check did not notice it because it spoke to the gateways without TLS.'),
  yes('outage.md', 'The first alert was raised by the support team nine minutes after it began.'),
  yes('outage.md', 'Customers repeated 16,900 of the failed payments themselves.'),
  yes('outage.md', 'Certificates will now be renewed 21 days before they expire.'),
  not('outage.md', 'The certificate had expired on all six gateways.'),
  not('outage.md', 'The first alert came from monitoring.'),
  not('outage.md', 'Some payments were taken twice.'),
  not('outage.md', 'About 16,900 payments failed.'),
  not('outage.md', 'The health check spoke to the gateways with TLS.'),
  not('outage.md', 'At 11:05 the renewed certificates were in place.'),
  not('outage.md', 'Ines Duarte let the certificate expire.'),
]
