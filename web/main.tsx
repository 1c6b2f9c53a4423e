import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api/client.ts'
import { noticeFailure } from './api/session.ts'
import { App } from './app.tsx'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/list.css'
import './styles/incident.css'

const client = new QueryClient({
  queryCache: new QueryCache({ onError: noticeFailure }),
  mutationCache: new MutationCache({ onError: noticeFailure }),
  defaultOptions: {
    queries: {
      // A refusal stays a refusal; only silence and trouble on the way are worth asking again.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      // The browser's own idea of being online is wrong on loopback and in tunnels.
      networkMode: 'always',
      staleTime: 1000,
    },
    mutations: { networkMode: 'always' },
  },
})

const root = document.querySelector('#root')
if (root)
  createRoot(root).render(
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>,
  )
