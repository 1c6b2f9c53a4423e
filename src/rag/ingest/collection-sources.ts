// The sources of a collection: those that the config names, or those that a command was given.
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { CollectionConfig } from '../../config/rag-schema.ts'
import { GIT_URL } from '../../config/rag-schema.ts'
import { AppError } from '../../core/errors.ts'
import { sha256Hex } from '../../core/hash.ts'
import type { Source } from './source.ts'
import { createAddressRules } from './sources/addresses.ts'
import { createFetcher, type Fetcher } from './sources/fetch-page.ts'
import type { FileChoice } from './sources/file-choice.ts'
import { createFileSource, createFolderSource } from './sources/folder.ts'
import { createGitSource } from './sources/git.ts'
import { createJsonLinesSource, isJsonLines } from './sources/json-lines.ts'
import { createPagesSource } from './sources/pages.ts'

export interface SourceMaker {
  /** Of a collection in the config. */
  ofConfig(name: string, config: CollectionConfig): Promise<Source[]>
  /** Of a path, a URL or a repository as it is typed. Throws AppError where there is no such thing. */
  ofText(text: string, choice: FileChoice): Promise<Source>
  stop(): Promise<void>
}

/** `folder` is the knowledge's own, below the data folder. */
export function createSourceMaker(options: {
  readonly folder: string
  readonly allow: readonly string[]
}): SourceMaker {
  const rules = createAddressRules(options.allow)
  let fetcher: Fetcher | undefined
  const fetching = (): Fetcher => (fetcher ??= createFetcher(rules))
  const git = { folder: join(options.folder, 'git'), rules }
  const memoryFile = (of: string): string => join(options.folder, 'pages', `${sha256Hex(of).slice(0, 24)}.json`)
  return {
    ofConfig: async (name, { paths, urls, git: repositories, include, exclude, tenant }) => [
      ...(await Promise.all(paths.map((path) => ofPath(path, { include, exclude })))),
      // Together one source, so that a page that is not named any more goes.
      ...(urls.length === 0
        ? []
        : [
            createPagesSource(urls, {
              fetcher: fetching(),
              memoryFile: memoryFile(`${tenant} ${name}`),
              place: 'pages',
            }),
          ]),
      ...repositories.map(({ url, ref, path }) =>
        createGitSource({
          url,
          include,
          exclude,
          ...git,
          ...(ref === undefined ? {} : { ref }),
          ...(path === undefined ? {} : { path }),
        }),
      ),
    ],
    ofText: async (text, choice) => {
      if (/^https?:\/\//.test(text) && !text.endsWith('.git'))
        return createPagesSource([text], { fetcher: fetching(), memoryFile: memoryFile(text), place: `page:${text}` })
      if (GIT_URL.test(text)) return createGitSource({ url: text, ...choice, ...git })
      return ofPath(resolve(text), choice)
    },
    stop: async () => fetcher?.stop(),
  }
}

/** What does not exist is a source all the same: reading it tells so, each time. */
async function ofPath(path: string, choice: FileChoice): Promise<Source> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile()) return isJsonLines(path) ? createJsonLinesSource(path) : createFileSource(path)
  if (found && !found.isDirectory()) throw new AppError('malformed', `${path} is neither a file nor a folder.`)
  return isJsonLines(path) ? createJsonLinesSource(path) : createFolderSource({ path, ...choice })
}
