/**
 * The small module with words whose results depend on the host of an honest unit: the program's path, the time zone, the clock.
 *
 * | word | answer or action |
 * |---|---|
 * | `class` | the size of the heap block for the C environment when the process began, in steps of 8 bytes |
 * | `order` | a message with tags in an order that depends on this width, as with Lua's tables |
 * | `keepclass` | adds the width to the counter, so that it shows only in a later answer |
 * | `local [SECONDS]` | day, hour and minute of a local time, as one number; SECONDS are added to 1,720,000,000 |
 * | `keeplocal` | adds the local hour of 1,720,000,000 to the counter |
 * | `zone` | the time zone's offset from UTC in seconds, and whether it has summer time |
 * | `tick` | adds a clock reading to the counter and answers nothing |
 * | `clockerr` | reads the clock, then fails |
 * | `print TEXT` | writes TEXT to stdout, which reads the clock; answers the counter |
 * | `send [N]` | N messages with tags and the counter; 1 |
 * | `flaky` | fails if the counter reaches a multiple of three, otherwise answers the counter |
 * | `full` | two messages, a spawn, an assignment, an Output with fields |
 *
 * A message without `Data` obeys the value of its tag `Do`, so that a cron can have a word.
 */
import { compileSmallModule, type MoreOfModule, type SmallModuleFormat } from '../modules/small-module.ts'

/** The formats that have such a module. */
export const HONEST_FORMATS = [
  'wasm32-unknown-emscripten4',
  'wasm32-unknown-emscripten-metering',
  'wasm64-unknown-emscripten-draft_2024_02_15'
] as const satisfies readonly SmallModuleFormat[]

export type HonestFormat = (typeof HONEST_FORMATS)[number]

const compiled = new Map<HonestFormat, Promise<Uint8Array<ArrayBuffer>>>()

/** Compiled once for each format. */
export function honestModule(format: HonestFormat): Promise<Uint8Array<ArrayBuffer>> {
  const wasm = compiled.get(format) ?? compileSmallModule(format, { more: MORE })
  compiled.set(format, wasm)
  return wasm
}

const MORE: MoreOfModule = {
  words: {
    class: '$class',
    order: '$order',
    keepclass: '$keepclass',
    local: '$local',
    keeplocal: '$keeplocal',
    zone: '$zone',
    tick: '$tick',
    clockerr: '$clockerr',
    print: '$print',
    send: '$send',
    flaky: '$flaky',
    full: '$full'
  },
  find: '$find_do',
  begin: '$begin_instance',
  functions: `
;; 1,152 the environment's width   1,160 and 1,168 its sizes   1,216 a broken-down time   1,280 time zone   1,344 the printed text

;; A real module copies the environment to its heap, with four bytes before it and in steps of eight.
(func $begin_instance
  (drop (call $environ_sizes_get (ptr.const 1160) (ptr.const 1168)))
  (i64.store (ptr.const 1152)
    (i64.shr_u (i64.add (call $number_of (ptr.load (ptr.const 1168))) (i64.const 11)) (i64.const 3)))
  (drop (call $environ_get (ptr.const 8192) (ptr.const 10240))))

;; Sets $word to the text after \`Do","value":"\`, found by its first eight characters as one i64.
(func $find_do (param $at ptr)
  (loop $more
    (if (i64.eq (i64.load (local.get $at)) (i64.const 0x6c6176222c226f44))
      (then (global.set $word (ptr.add (local.get $at) (ptr.const 13))) (return)))
    (local.set $at (ptr.add (local.get $at) (ptr.const 1)))
    (br_if $more (i32.load8_u (local.get $at)))))

(func $count (result i64) (i64.load (ptr.const 1024)))
(func $add (param i64) (i64.store (ptr.const 1024) (i64.add (call $count) (local.get 0))))
(func $width (result i64) (i64.load (ptr.const 1152)))

(func $class (call $output_number (call $width)))
(func $keepclass (call $change) (call $add (call $width)) (call $output (text "kept")))
(func $tick (call $change) (call $add (i64.sub (i64.trunc_f64_s (call $date_now)) (i64.const 10000))) (call $output (text "")))
(func $clockerr (drop (call $date_now)) (call $change) (call $boom))

(func $hour (result i64) (i64.extend_i32_u (i32.load (ptr.const 1224))))
(func $local
  (call $local_time (i64.add (i64.const 1720000000) (call $number (i64.const 0))) (ptr.const 1216))
  (call $output_number (i64.add (i64.mul (i64.extend_i32_u (i32.load (ptr.const 1228))) (i64.const 10000))
    (i64.add (i64.mul (call $hour) (i64.const 100)) (i64.extend_i32_u (i32.load (ptr.const 1220)))))))
(func $keeplocal
  (call $change)
  (call $local_time (i64.const 1720000000) (ptr.const 1216))
  (call $add (call $hour))
  (call $output (text "kept")))
(func $zone
  (call $tzset (ptr.const 1280) (ptr.const 1288) (ptr.const 1296) (ptr.const 1320))
  (call $output_number (i64.add (i64.mul (i64.load32_u (ptr.const 1280)) (i64.const 10))
    (i64.extend_i32_u (i32.load (ptr.const 1288))))))

(func $print
  (call $change)
  (ptr.store (ptr.const 1344) (global.get $argument))
  (ptr.store (ptr.add (ptr.const 1344) (ptr.const PTR_BYTES)) (ptr.add (call $argument_length) (ptr.const 1)))
  (i32.store8 (ptr.add (global.get $argument) (call $argument_length)) (i32.const 10))
  (drop (call $fd_write (i32.const 1) (ptr.const 1344) (ptr.const 1) (ptr.const 1376)))
  (call $output_number (call $count)))

(func $tag (param $first i32) (param $name i32)
  (if (i32.eqz (local.get $first)) (then (call $put (text ","))))
  (call $put (text "{\\"name\\":\\"Tag-"))
  (call $put_byte (local.get $name))
  (call $put (text "\\",\\"value\\":\\""))
  (call $put_number (call $count))
  (call $put (text "\\"}")))
(func $begin_message
  (call $put (text "{\\"Target\\":\\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\\",\\"Anchor\\":\\"0000000000000000000000000000000"))
  (call $put_byte (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (call $count) (i64.const 10)))))
  (call $put (text "\\",\\"Data\\":\\"sent\\",\\"Tags\\":[{\\"name\\":\\"Action\\",\\"value\\":\\"Told\\"},")))

;; Three tags, rotated by the environment's width.
(func $order (local $turn i32)
  (call $change)
  (local.set $turn (i32.wrap_i64 (i64.rem_u (call $width) (i64.const 3))))
  (call $put (text "{\\"ok\\":true,\\"response\\":{\\"Output\\":\\"sent\\",\\"Messages\\":["))
  (call $begin_message)
  (call $tag (i32.const 1) (i32.add (i32.const 65) (i32.rem_u (local.get $turn) (i32.const 3))))
  (call $tag (i32.const 0) (i32.add (i32.const 65) (i32.rem_u (i32.add (local.get $turn) (i32.const 1)) (i32.const 3))))
  (call $tag (i32.const 0) (i32.add (i32.const 65) (i32.rem_u (i32.add (local.get $turn) (i32.const 2)) (i32.const 3))))
  (call $put (text "]}]}}")))

(func $send (local $left i64)
  (call $change)
  (local.set $left (call $number (i64.const 1)))
  (call $put (text "{\\"ok\\":true,\\"response\\":{\\"Output\\":\\"sent\\",\\"Messages\\":["))
  (block $end
    (loop $more
      (br_if $end (i64.eqz (local.get $left)))
      (call $begin_message)
      (call $tag (i32.const 1) (i32.wrap_i64 (i64.add (i64.const 64) (local.get $left))))
      (call $put (text "]}"))
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $end (i64.eqz (local.get $left)))
      (call $put (text ","))
      (br $more)))
  (call $put (text "]}}")))

(func $flaky
  (call $change)
  (if (i64.eqz (i64.rem_u (call $count) (i64.const 3))) (then (call $boom)) (else (call $output_number (call $count)))))

(func $full
  (call $change)
  (call $put (text "{\\"ok\\":true,\\"response\\":{\\"Output\\":{\\"data\\":\\"done\\",\\"print\\":true,\\"more\\":{\\"count\\":"))
  (call $put_number (call $count))
  (call $put (text "}},\\"Messages\\":["))
  (call $begin_message)
  (call $tag (i32.const 1) (i32.const 65))
  (call $tag (i32.const 0) (i32.const 66))
  (call $put (text "]},"))
  (call $begin_message)
  (call $tag (i32.const 1) (i32.const 67))
  (call $put (text "]}],\\"Spawns\\":[{\\"Anchor\\":\\"00000000000000000000000000000001\\",\\"Data\\":\\"born\\",\\"Tags\\":["))
  (call $tag (i32.const 1) (i32.const 83))
  (call $put (text "]}],\\"Assignments\\":[{\\"Message\\":\\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\\",\\"Processes\\":["))
  (call $put (text "\\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\\"]}]}}")))
`
}
