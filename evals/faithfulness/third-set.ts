// A third set, written when the check had been mended by the second one and not touched since: what the check does on texts that it
// was never tried on.
import { type Item, not, yes } from './item.ts'

export const DOCUMENTS: Readonly<Record<string, string>> = {
  'storage.md': `# Disk arrays

Each array has twelve disks, of which two are spares. When a disk fails, a spare takes its place and the array rebuilds in about six hours. Reads are slower during a rebuild; writes are not.

Replace the broken disk within three days. Pull it only when its lamp is amber. If two disks fail at the same time, stop all writes with \`arrayctl freeze\` and call the vendor. Do not power the array off, for the cache would be lost.
`,
  'loan.md': `# Terms of the loan

The bank lends 300,000 euros for 15 years at a fixed rate of 3.2 % a year. The borrower repays 2,100 euros on the first day of each month. He may repay up to 5 % of the sum in addition each year without a fee; for more than that the bank asks a fee of 1 %.

If two payments are late, the bank may end the contract after a warning. The house serves as security. The borrower must insure it against fire, and may not sell it without the bank's consent.
`,
}

export const ITEMS: readonly Item[] = [
  yes('storage.md', 'Two of the twelve disks of an array are spares.'),
  yes('storage.md', 'The rebuild takes about six hours.'),
  yes('storage.md', 'Reads are slower while the array rebuilds.'),
  yes('storage.md', 'Stop all writes with `arrayctl freeze` if two disks fail at the same time.'),
  yes('storage.md', 'Do not power off the array, because the cache would be lost.'),
  not('storage.md', 'Each array has two disks, of which twelve are spares.'),
  not('storage.md', 'Writes are slower during a rebuild.'),
  not('storage.md', 'Replace the broken disk within six hours.'),
  not('storage.md', 'Power the array off if two disks fail at the same time.'),
  not('storage.md', 'Pull the disk only when its lamp is green.'),
  not('storage.md', 'Stop all reads with `arrayctl freeze`.'),
  yes('loan.md', 'The rate is fixed at 3.2 % a year.'),
  yes('loan.md', 'On the first day of each month the borrower repays 2,100 euros.'),
  yes('loan.md', 'The bank may end the contract after a warning if two payments are late.'),
  yes('loan.md', 'The house must be insured against fire.'),
  yes('loan.md', 'Up to 5 % of the sum may be repaid each year without a fee.'),
  not('loan.md', 'The bank lends 300,000 euros for 3.2 years.'),
  not('loan.md', 'The bank repays 2,100 euros each month.'),
  not('loan.md', 'The borrower may sell the house without the consent of the bank.'),
  not('loan.md', 'The fee is 5 %.'),
  not('loan.md', 'The bank may end the contract without a warning.'),
  not('loan.md', 'If one payment is late, the bank may end the contract.'),
]
