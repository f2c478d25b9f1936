/** How values must be written as text, whatever the server's defaults: what store/column-text.ts reads. */
export const textSettings: readonly string[] = ['set datestyle to iso', 'set intervalstyle to postgres']
