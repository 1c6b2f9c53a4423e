// Waiting, as a service waits for something that is not ours.

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
