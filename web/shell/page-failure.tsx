// The last net: when drawing fails, say so and offer what helps, instead of a blank page. The usual cause is a page
// that was open while Midwatch was updated, whose later parts are gone.
import { Component, type ReactNode } from 'react'

interface State {
  readonly error: Error | undefined
}

export class PageFailure extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: undefined }

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children
    return (
      <div className="problem" role="alert">
        <h1>This part of the page could not be shown</h1>
        <p>
          Nothing was changed by it. If Midwatch was updated while the page was open, loading it again is enough. The
          command <code>midwatch incidents</code> shows the same in a terminal.
        </p>
        <p className="quiet">{this.state.error.message}</p>
        <p>
          <button type="button" onClick={() => location.reload()}>
            Load again
          </button>
        </p>
      </div>
    )
  }
}
