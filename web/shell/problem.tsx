// A failure, in words: what happened and what to do.
import { ApiError } from '../api/client.ts'

export function Problem({ error, again }: { readonly error: Error; readonly again?: () => unknown }) {
  return (
    <div className="problem" role="alert">
      <p>{inWords(error)}</p>
      {again && (
        <p>
          <button type="button" onClick={() => void again()}>
            Try again
          </button>
        </p>
      )}
    </div>
  )
}

function inWords(error: Error): string {
  return error instanceof ApiError ? error.message : `The page itself failed: ${error.message}. Load it again.`
}
