/** A mill wheel in its race: three currents, one turn. */
export function Logo({ size = 18 }: { size?: number }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 20 20"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
    >
      <circle cx="10" cy="8.2" r="5.2" />
      <path d="M10 3v10.4M4.8 8.2h10.4M6.3 4.5l7.4 7.4M13.7 4.5l-7.4 7.4" strokeWidth="1.2" />
      <path d="M1.5 16.8c1.4 0 1.4-1.1 2.8-1.1s1.4 1.1 2.850 1.1 1.4-1.1 2.850-1.1 1.4 1.1 2.850 1.1 1.4-1.1 2.850-1.1 1.4 1.1 2.8 1.1" />
    </svg>
  )
}
