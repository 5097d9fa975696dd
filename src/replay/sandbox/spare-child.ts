/** Children of sandboxes that are started, or kept, before it is known what they will run. */

/**
 * Only the sandbox looks into a child.
 *
 * A start takes a quarter of a second; a replay of a few messages takes less.
 */
export interface SpareChild<Child = unknown> {
  /** The child, for the first that asks. */
  take(): Child | undefined
  /** Takes a child back that did all that it was asked; without it each runs one module once. */
  give?(child: Child): void
  /** Ends the children that nobody took. */
  close(): void
}
