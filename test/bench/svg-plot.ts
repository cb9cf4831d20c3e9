/** One line of a plot. */
export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

const WIDTH = 760
const HEIGHT = 460
const LEFT = 80
const RIGHT = 190
const TOP = 20
const BOTTOM = 50

/** Told apart by people with any colour vision (Okabe and Ito, 2008). */
const COLORS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00']

/** A plot with logarithmic axes, as SVG. All coordinates are above 0. */
export function logPlot(
  title: string,
  series: readonly Series[],
  units: { readonly x: string; readonly y: string },
): string {
  const points = series.flatMap((one) => one.points)
  const xs = decades(points.map(([x]) => x))
  const ys = decades(points.map(([, y]) => y))
  const scale = (value: number, all: readonly number[], length: number) => {
    const [first = 1, last = 1] = [all[0], all.at(-1)]
    return (Math.log(value / first) / Math.log(last / first)) * length
  }
  const place = (x: number, y: number) => ({
    x: (LEFT + scale(x, xs, WIDTH - LEFT - RIGHT)).toFixed(1),
    y: (HEIGHT - BOTTOM - scale(y, ys, HEIGHT - TOP - BOTTOM)).toFixed(1),
  })
  const [leftX = 1, bottomY = 1] = [xs[0], ys[0]]
  const [rightX = 1, topY = 1] = [xs.at(-1), ys.at(-1)]
  const line = (from: { x: string; y: string }, to: { x: string; y: string }) =>
    `<line x1="${from.x}" y1="${from.y}" x2="${to.x}" y2="${to.y}" stroke="#ddd"/>`
  const text = (at: { x: string; y: string }, anchor: string, shown: string, dx = 0, dy = 0) =>
    `<text x="${Number(at.x) + dx}" y="${Number(at.y) + dy}" text-anchor="${anchor}">${shown}</text>`
  const grid = [
    ...xs.flatMap((x) => [
      line(place(x, bottomY), place(x, topY)),
      text(place(x, bottomY), 'middle', x.toLocaleString('en'), 0, 18),
    ]),
    ...ys.flatMap((y) => [
      line(place(leftX, y), place(rightX, y)),
      text(place(leftX, y), 'end', `${y.toLocaleString('en')} ${units.y}`, -6, 4),
    ]),
    text(place(rightX, bottomY), 'end', units.x, 0, 38),
  ]
  const lines = series.flatMap(({ name, points }, at) => {
    const color = COLORS[at % COLORS.length]
    const places = points.map(([x, y]) => place(x, y))
    const [last] = places.slice(-1)
    if (!last) return []
    const path = places.map(({ x, y }) => `${x},${y}`).join(' ')
    const dots = places.map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3" fill="${color}"/>`)
    const label = text(last, 'start', name, 8, 4)
    return [`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`, ...dots, label]
  })
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`
  const ground = `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`
  return [head, `<title>${title}</title>`, ground, ...grid, ...lines, '</svg>', ''].join('\n')
}

/** Powers of ten around all values. */
function decades(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values)))
  const last = Math.ceil(Math.log10(Math.max(...values)))
  return Array.from({ length: Math.max(1, last - first) + 1 }, (_, at) => 10 ** (first + at))
}
