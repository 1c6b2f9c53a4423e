// The list of keys that work right now.
import { Dialog } from './dialog.tsx'
import { setKeysOn, useKeyGroups, useKeysOn } from './keys.ts'

export function KeyHelp({ onClose }: { readonly onClose: () => void }) {
  const groups = useKeyGroups()
  const on = useKeysOn()
  return (
    <Dialog title="Keys" onClose={onClose}>
      {groups.map((group) => (
        <section key={group.title}>
          <h3>{group.title}</h3>
          <dl className="keys">
            {group.bindings.map(({ keys, says }) => (
              <div key={keys}>
                <dt>
                  {keys.split(' ').map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{says}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <label className="choice">
        <input type="checkbox" checked={on} onChange={(event) => setKeysOn(event.target.checked)} />
        Single keys work on this device
      </label>
      <p className="actions">
        <button type="button" onClick={onClose} autoFocus>
          Close
        </button>
      </p>
    </Dialog>
  )
}
