// Single keys for everything the page can do. They never fire while someone types, holds a modifier or a key down, or
// answers a dialog; and they can be switched off, for those who speak to their computer (WCAG 2.1.4).
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react'
import { type Binding, matchKeys } from './match-keys.ts'

const NEXT_KEY_MS = 1500
const OFF_MARK = 'midwatch.keys-off'

let groups: readonly { readonly title: string; readonly bindings: readonly Binding[] }[] = []
let pressed: string[] = []
let pressedAtMs = 0
const listeners = new Set<() => void>()

function tell(): void {
  for (const listener of listeners) listener()
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Binds keys as long as the component stands. `run` may change with every render; keys and words may not. */
export function useKeys(title: string, bindings: readonly Binding[]): void {
  const run = useEffectEvent((keys: string) => bindings.find((binding) => binding.keys === keys)?.run())
  const shape = bindings.map(({ keys, says }) => `${keys}\t${says}`).join('\n')
  useEffect(() => {
    const own = shape.split('\n').filter((line) => line !== '')
    const group = {
      title,
      bindings: own.map((line) => {
        const [keys = '', says = ''] = line.split('\t')
        return { keys, says, run: () => run(keys) }
      }),
    }
    groups = [...groups, group]
    tell()
    return () => {
      groups = groups.filter((other) => other !== group)
      tell()
    }
  }, [title, shape])
}

/** What can be pressed right now, for the list of keys. */
export const useKeyGroups = () => useSyncExternalStore(subscribe, () => groups)

export const useKeysOn = (): boolean => useSyncExternalStore(subscribe, keysOn)

const keysOn = (): boolean => localStorage.getItem(OFF_MARK) === null

export function setKeysOn(on: boolean): void {
  if (on) localStorage.removeItem(OFF_MARK)
  else localStorage.setItem(OFF_MARK, 'yes')
  tell()
}

/** Starts to hear keys. Returns the function that ends it. */
export function hearKeys(): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (!keysOn() || event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return
    if (isTyping(event.target) || document.querySelector('dialog[open]') || event.key.length !== 1) return
    if (event.timeStamp - pressedAtMs > NEXT_KEY_MS) pressed = []
    pressedAtMs = event.timeStamp
    const bindings = groups.flatMap((group) => group.bindings)
    const afterPrefix = matchKeys([...pressed, event.key], bindings)
    const match = afterPrefix.kind === 'none' ? matchKeys([event.key], bindings) : afterPrefix
    pressed = match.kind !== 'wait' ? [] : afterPrefix.kind === 'wait' ? [...pressed, event.key] : [event.key]
    if (match.kind !== 'run') return
    event.preventDefault()
    match.binding.run()
  }
  document.addEventListener('keydown', onKey)
  return () => document.removeEventListener('keydown', onKey)
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null
