import type { JsonSchema } from './json-schema.ts'

const text: JsonSchema = { type: 'string' }

/** JSON Schema of `Problem`. */
export const problemSchema: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'hint', 'instance', 'issues', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri', examples: ['urn:millrace:error:INPUT_INVALID'] },
    title: { type: 'string', examples: ['Input invalid'] },
    status: { type: 'integer', examples: [400] },
    detail: { type: 'string', examples: ['query: /q is missing'] },
    code: { type: 'string', description: 'Never reused; safe to branch on.', examples: ['INPUT_INVALID'] },
    hint: { type: 'string', description: 'How to mend it.' },
    instance: { type: 'string', format: 'uri-reference' },
    issues: {
      type: 'array',
      description: 'Each wrong field; `path` is a JSON Pointer (RFC 6901).',
      items: { type: 'object', required: ['path', 'message'], properties: { path: text, message: text } },
    },
    requestId: { type: 'string', description: 'Also in the header x-request-id and in the log.' },
  },
}
