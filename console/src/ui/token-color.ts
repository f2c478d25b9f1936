/** The present value of a colour token, for canvas, which knows no custom properties. */
export function tokenColor(token: string): string {
  const probe = document.createElement('span')
  probe.style.color = token
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
