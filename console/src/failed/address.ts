import type { DeliveryAddress, FailedDelivery } from '../contract.ts'

/** A delivery in the address of the page: `consumer#position`, with the replay behind another `#`. */
export function placeOf({ consumer, kind, position, replay }: Place): string {
  const name = kind === 'index' ? `index:${consumer}` : consumer
  return replay === null ? `${name}#${position}` : `${name}#${position}#${replay}`
}

type Place = Pick<FailedDelivery, 'consumer' | 'kind' | 'position' | 'replay'>

export function addressOf(text: string | undefined): DeliveryAddress | undefined {
  const [consumer = '', position = '', replay] = text?.split('#') ?? []
  if (consumer === '' || !/^\d+$/.test(position)) return undefined
  return { consumer, position: Number(position), ...(replay === undefined ? {} : { replay }) }
}
