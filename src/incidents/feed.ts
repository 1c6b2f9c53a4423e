// Tells everyone in this process that an incident changed, after the change is committed. It carries no content:
// listeners read what they need from the database, so a signal that is missed or doubled does no harm.

export interface IncidentFeed {
  publish(incidentId: string): void
  /** Returns the function that ends the subscription. A listener must be quick and must not throw. */
  subscribe(listener: (incidentId: string) => void): () => void
}

export function createIncidentFeed(): IncidentFeed {
  const listeners = new Set<(incidentId: string) => void>()
  return {
    publish(incidentId) {
      for (const listener of listeners) listener(incidentId)
    },
    subscribe(listener) {
      // Wrapped, so that the same function subscribed twice is two subscriptions.
      const own = (incidentId: string): void => listener(incidentId)
      listeners.add(own)
      return () => listeners.delete(own)
    },
  }
}
