/** `records FOLDER` and `blobs FOLDER` store one item after another and confirm each, until killed; `hold FOLDER` only opens. */
import { openStore } from '../../dist/src/store/level-store.js'

const [what, folder] = process.argv.slice(2)
const store = await openStore(folder)
if (what === 'hold') {
  process.send('open')
  process.on('message', () => {})
} else {
  for (let count = 1; ; count++) {
    if (what === 'records') {
      await store.put([
        [['n', count], count],
        [['twice', count], count]
      ])
      process.send(count)
    } else process.send(await store.putBlob(Buffer.alloc(300_000, `${count}.`)))
  }
}
