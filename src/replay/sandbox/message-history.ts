/** The successful messages since the shadow's state: run again, they lead from it to the present one. */
import { messageChars } from '../message-chars.ts'
import { cuResult } from './cu-result.ts'
import { ModuleFault } from './fault.ts'
import type { Instance } from './instance.ts'
import type { SandboxMessage } from './protocol.ts'

const MESSAGES_MAX = 256
const MAX_CHARS = 32 * 1024 * 1024

interface Done {
  readonly entry: SandboxMessage
  /** The clock before it: an error in between may have reset it. */
  readonly clock: number
  readonly chars: number
  /** The result, to compare with a later run of the same message: a module with another answer cannot be replayed. */
  readonly text: string
}

export interface MessageHistory {
  readonly length: number
  /** Whether it should not grow any further. */
  readonly isFull: boolean
  /** @param clock the clock before the message */
  push(entry: SandboxMessage, clock: number, text: string): void
  /** Removes the last message. */
  pop(): void
  clear(): void
  /**
   * Runs the messages again in `target`, which holds the shadow's state.
   *
   * @throws ModuleFault if the module answers differently than before
   */
  runAgain(target: Instance): Promise<void>
}

export function createMessageHistory(): MessageHistory {
  let messages: Done[] = []
  let allChars = 0
  return {
    get length() {
      return messages.length
    },
    get isFull() {
      return messages.length >= MESSAGES_MAX || allChars > MAX_CHARS
    },
    push(entry, clock, text) {
      const chars = text.length + messageChars(entry.message)
      messages.push({ entry, clock, text, chars })
      allChars += chars
    },
    pop() {
      allChars -= messages.pop()?.chars ?? 0
    },
    clear() {
      messages = []
      allChars = 0
    },
    async runAgain(target) {
      for (const { entry, clock, text } of messages) {
        target.host.beginMessage(entry.message['Timestamp'])
        target.host.clock = clock
        const again = cuResult(await target.handle(entry.message))
        if (again.text !== text)
          throw new ModuleFault('the module gave two different answers to the same message in the same state')
      }
    }
  }
}
