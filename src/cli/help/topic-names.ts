/** Topics of `disco help`. Their texts are loaded only when shown. */
export const TOPIC_NAMES = [
  'exit-codes',
  'environment',
  'targets',
  'policies',
  'layouts',
  'selectors',
  'findings',
] as const

export type TopicName = (typeof TOPIC_NAMES)[number]

export function isTopic(name: string): name is TopicName {
  return (TOPIC_NAMES as readonly string[]).includes(name)
}
