/** The actions of `disco context`. In a file of their own, because completion offers them without the command. */
export const CONTEXT_ACTIONS = ['add', 'use', 'ls', 'show', 'rm'] as const

export type ContextAction = (typeof CONTEXT_ACTIONS)[number]
