// Where people were told of the incident: the ticket, the message, the letters.
import type { IncidentView } from '../../src/incidents/view.ts'
import { webLink } from '../shell/web-link.ts'

export function Told({ view: { told = [] } }: { readonly view: IncidentView }) {
  if (told.length === 0) return null
  return (
    <p className="facts">
      <span>Told:</span>
      {told.map(({ channel, title, url }) => {
        const href = webLink(url)
        return (
          <span key={`${channel}/${title}`}>
            {href === undefined ? (
              title
            ) : (
              <a href={href} rel="noreferrer">
                {title}
              </a>
            )}
          </span>
        )
      })}
    </p>
  )
}
