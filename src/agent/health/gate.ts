export interface GateRules {
  /** So many successes in a row make it healthy. */
  readonly rise: number
  /** So many failures in a row make it unhealthy. */
  readonly fall: number
}

/** Makes of single answers what holds: one lost packet is no outage, and one answer no recovery. */
export class HealthGate {
  private health: 'unknown' | 'good' | 'bad' = 'unknown'
  private streak = 0

  constructor(private readonly rules: GateRules) {}

  /** Whether it was never healthy so far. */
  get isUnknown(): boolean {
    return this.health === 'unknown'
  }

  /** @returns what this answer turned it to, or null where it turned nothing */
  note(isHealthy: boolean): 'healthy' | 'unhealthy' | null {
    const isNoNews = isHealthy === (this.health === 'good')
    if (isNoNews) {
      this.streak = 0
      return null
    }
    this.streak++
    if (this.streak < (isHealthy ? this.rules.rise : this.rules.fall)) return null
    this.streak = 0
    this.health = isHealthy ? 'good' : 'bad'
    return isHealthy ? 'healthy' : 'unhealthy'
  }
}
