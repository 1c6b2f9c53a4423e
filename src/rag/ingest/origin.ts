// Which source a document came from, as it is kept with it. Who asked for the ingest is part of it: what the config brings
// goes when the config does not name it any more, what a command brought stays until a command removes it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export type AskedBy = 'config' | 'cli'

export const originOf = (by: AskedBy, place: string): string => `${by} ${place}`

/**
 * Whether a source may change and remove what is stored with `stored`: its own, and for a command also what the config
 * brought from the same place, which stays the config's.
 */
export const isOwn = (stored: string | null, mine: string): boolean =>
  stored === mine || (stored !== null && isOfConfig(stored) && placeOf(stored) === placeOf(mine))

export const isOfConfig = (origin: string | null): boolean => origin?.startsWith('config ') ?? false

/**
 * Why a source must leave alone a document that another one brought; undefined when it may take it over, for it is the same
 * place by another way, or is not there any more. Two sources with a README.md each would else take it from one another
 * for ever, and one of both be lost without a word.
 */
export function findConflict(id: string, stored: string | null, mine: string): string | undefined {
  if (stored === mine) return undefined
  if (stored === null)
    return 'A document of this name was sent to the collection. Remove that one, or take another collection.'
  const [theirs, ours] = [placeOf(stored), placeOf(mine)]
  if (theirs === ours) return undefined
  const [kind = '', at = ''] = split(theirs)
  const gone =
    (kind === 'folder' && !existsSync(join(at, id))) || ((kind === 'file' || kind === 'lines') && !existsSync(at))
  return gone
    ? undefined
    : `A document of this name came from ${at} already. Take another collection, or ingest the folder that holds both.`
}

const placeOf = (origin: string): string => origin.slice(origin.indexOf(' ') + 1)

const split = (place: string): string[] => [place.slice(0, place.indexOf(':')), place.slice(place.indexOf(':') + 1)]
