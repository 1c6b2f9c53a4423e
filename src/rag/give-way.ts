// Whoever is answered meanwhile comes before parsing, embedding and writing.
import { setPriority } from 'node:os'

/** On Linux it is the calling thread's alone, and what it starts has it too; elsewhere it would be the whole process's. */
export function giveWay(): void {
  if (process.platform === 'linux') setPriority(0, 10)
}
