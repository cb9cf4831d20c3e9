/** Topics of `disco help` with their summaries. The text of a topic is in `topics.ts`, which is loaded when needed. */
export const TOPIC_SUMMARIES = {
  'exit-codes': 'what each exit code means',
  environment: 'the variables that disco reads',
  targets: 'names, URIs and addresses that commands take for a service',
  policies: 'the LB policies, their parameters and how a verdict judges them',
  layouts: 'the registry layouts and their keys',
  selectors: 'how a target selects some endpoints of a service',
  findings: 'what disco doctor finds',
} as const

export type TopicName = keyof typeof TOPIC_SUMMARIES

export const TOPIC_NAMES = Object.keys(TOPIC_SUMMARIES) as TopicName[]

export function isTopic(name: string): name is TopicName {
  return Object.hasOwn(TOPIC_SUMMARIES, name)
}
