// `search_runbooks`: passages of the knowledge base, word for word, with the place where each stands.
import { z } from 'zod'
import type { Caller } from '../core/caller.ts'
import { AppError } from '../core/errors.ts'
import type { ChatModel } from '../llm/chat.ts'
import type { Retriever } from '../llm/retriever.ts'
import { offer, type OfferedTool } from './tool.ts'

const MOST_PASSAGES = 8
const MAX_QUOTE = 1500

export interface RunbookParts {
  readonly retriever: Retriever
  /** A model that is charged to the caller, for the help that a search may ask for. */
  readonly chatModelFor: (caller: Caller) => ChatModel
  /** Searched where the caller names none. */
  readonly collections: readonly string[]
}

export const searchRunbooks = ({ retriever, chatModelFor, collections }: RunbookParts): OfferedTool =>
  offer({
    name: 'search_runbooks',
    title: 'Search runbooks',
    description:
      'Passages of runbooks and other documents that fit a question: document, headings, offsets and a quote. "none" says that nothing fits.',
    scopes: ['rag:read'],
    input: z.strictObject({
      query: z.string().min(2).max(1000),
      collections: z
        .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/))
        .min(1)
        .max(10)
        .optional()
        .describe(
          `collections of the knowledge base${collections.length === 0 ? '' : `; ${collections.join(', ')} where left out`}`,
        ),
      limit: z.number().int().min(1).max(MOST_PASSAGES).default(4),
    }),
    readOnly: true,
    call: async ({ input, caller, quoting, signal }) => {
      const asked = input.collections ?? collections
      if (asked.length === 0)
        throw new AppError('malformed', 'Name the collections to search: agent.knowledge.collections names none.')
      const { passages, none, confidence } = await retriever.retrieve(
        {
          tenant: caller.tenant,
          ...(caller.team === undefined ? {} : { team: caller.team }),
          text: input.query,
          collections: asked,
          topK: input.limit,
          chat: chatModelFor(caller),
        },
        signal,
      )
      return {
        none,
        confidence,
        passages: passages
          .slice(0, input.limit)
          .map(({ collection, document, title, source, headings, text, start, end, page }) => ({
            collection,
            document: quoting.text(document, 300),
            title: quoting.text(title, 200),
            source: source === null ? null : quoting.text(source, 300),
            headings: headings.slice(0, 8).map((heading) => quoting.text(heading, 150)),
            start,
            end,
            page,
            quote: quoting.text(text, MAX_QUOTE),
          })),
      }
    },
  })
