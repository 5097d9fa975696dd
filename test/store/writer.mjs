/** Puts numbers into a store, one after another, and says which are in, until it is killed. */
import { openStore } from '../../dist/src/store/level-store.js'

const store = await openStore(process.argv[2])
for (let count = 1; ; count++) {
  await store.put([[['n', count], count]])
  process.send(count)
}
