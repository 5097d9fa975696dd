/** What the plain loop needs on Node 24 and later: the loader hands a fraction of a page to a memory that takes a BigInt. */
const { grow } = WebAssembly.Memory.prototype

WebAssembly.Memory.prototype.grow = function (pages) {
  const whole = Math.trunc(Number(pages))
  try {
    return Number(grow.call(this, BigInt(whole)))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return grow.call(this, whole)
  }
}
