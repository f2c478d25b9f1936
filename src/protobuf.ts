/** Events whose data is Protobuf. Needs `@bufbuild/protobuf`, which is installed beside millrace. */
export { protobuf } from './adapters/protobuf/protobuf.ts'
export type { DataFormat } from './events/data-format.ts'
