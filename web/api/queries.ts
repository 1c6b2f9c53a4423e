// What the page asks for and what it sends. The server is the only one who knows: nothing is assumed to have happened
// before it says so.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type {
  ApprovalDecision,
  DryRunView,
  FeedbackBody,
  IncidentList,
  IncidentView,
} from '../../src/incidents/view.ts'
import { getJson, sendJson } from './client.ts'

/** Live events make the page ask again at once; this is for when they do not come through. */
const ASK_AGAIN_MS = 30_000

const OPEN_A_PAGE = 200
const CLOSED_A_PAGE = 50

/**
 * Not kept once the reader has left the list: who comes back sees how it is, not how it was. (The list keeps its order
 * while it is read, so an old answer would fix an old order.)
 */
const FORGET = { gcTime: 0 }

export function useOpenIncidents() {
  return useQuery({
    ...FORGET,
    queryKey: ['incidents', 'open'],
    queryFn: ({ signal }) => allOpen(signal),
    refetchInterval: ASK_AGAIN_MS,
    // The title counts what waits for a decision, also while another tab is in front.
    refetchIntervalInBackground: true,
  })
}

/** Page by page, the newest first. */
export function useClosedIncidents() {
  return useInfiniteQuery({
    ...FORGET,
    queryKey: ['incidents', 'closed'],
    queryFn: ({ signal, pageParam }) =>
      getJson<IncidentList>(listPath({ state: 'closed', limit: CLOSED_A_PAGE, before: pageParam }), signal),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ incidents }) => (incidents.length < CLOSED_A_PAGE ? undefined : incidents.at(-1)?.number),
    refetchInterval: ASK_AGAIN_MS,
  })
}

/** However many are open, all of them are asked for: none may be missing from a list of what is broken. */
async function allOpen(signal: AbortSignal): Promise<IncidentList> {
  const list = await getJson<IncidentList>(listPath({ state: 'open', limit: OPEN_A_PAGE }), signal)
  const incidents = [...list.incidents]
  for (let page = list.incidents; page.length === OPEN_A_PAGE;) {
    const before = page.at(-1)?.number
    page = (await getJson<IncidentList>(listPath({ state: 'open', limit: OPEN_A_PAGE, before }), signal)).incidents
    incidents.push(...page)
  }
  return { ...list, incidents }
}

interface ListQuery {
  readonly state: 'open' | 'closed'
  readonly limit: number
  readonly before?: number | undefined
}

function listPath({ state, limit, before }: ListQuery): string {
  return `/v1/incidents?state=${state}&limit=${limit}${before === undefined ? '' : `&before=${before}`}`
}

export function useIncident(id: string) {
  return useQuery({
    queryKey: ['incident', id],
    queryFn: ({ signal }) => getJson<IncidentView>(incidentPath(id), signal),
    refetchInterval: ASK_AGAIN_MS,
  })
}

export function useDecide(incidentId: string) {
  const again = useAskAgain()
  return useMutation({
    mutationFn: ({ approvalId, decision }: { approvalId: string; decision: ApprovalDecision }) =>
      sendJson('POST', `${incidentPath(incidentId)}/approvals/${encodeURIComponent(approvalId)}`, decision),
    // Also after a failure: a conflict means that what is shown is out of date.
    onSettled: again,
  })
}

export function useDryRun(incidentId: string, approvalId: string) {
  return useMutation({
    mutationFn: () =>
      sendJson<DryRunView>(
        'POST',
        `${incidentPath(incidentId)}/approvals/${encodeURIComponent(approvalId)}/dry-run`,
        {},
      ),
  })
}

/** Stops all acting, or lets it go on. */
export function useSwitchActing() {
  const again = useAskAgain()
  return useMutation({
    mutationFn: ({ to, ...body }: { to: 'stop' | 'resume'; reason?: string }) =>
      sendJson('POST', `/v1/actions/${to}`, body),
    onSettled: again,
  })
}

export function useFeedback(incidentId: string) {
  const again = useAskAgain()
  return useMutation({
    mutationFn: (body: FeedbackBody) => sendJson('POST', `${incidentPath(incidentId)}/feedback`, body),
    onSettled: again,
  })
}

/** Says that whoever is signed in looks after it: nobody else is woken. */
export function useAcknowledge(incidentId: string) {
  const again = useAskAgain()
  return useMutation({
    mutationFn: () => sendJson('POST', `${incidentPath(incidentId)}/ack`, {}),
    onSettled: again,
  })
}

/** Everything on the page is asked for once more. Resolves when the answers are in. */
export function useAskAgain(): () => Promise<void> {
  const client = useQueryClient()
  return () => client.invalidateQueries()
}

export const incidentPath = (id: string): string => `/v1/incidents/${encodeURIComponent(id)}`
