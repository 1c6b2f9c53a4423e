// The kinds of cause that Midwatch tells apart: one word each, used by the diagnosis, the action catalogue and the lab.
export const FAULT_KINDS = [
  'cpu', // the process burns processor time
  'memory_leak', // resident memory grows without end
  'slow_database', // queries take longer than they did
  'pool_exhausted', // callers wait for a connection
  'bad_deploy', // a new release fails
  'bad_config', // a changed setting makes it fail
  'down', // the service does not answer at all
  'slow_dependency', // something outside answers late
  'queue_backlog', // work comes in faster than it is done
  'disk_full', // writes fail for lack of space
  'credential_expired', // a certificate, token or password ran out
  'traffic_surge', // more requests than it can serve
  'provider_failure', // a model provider fails
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]
