;; A module of a given memory (PAGES of 64 KiB) that works next to nothing: it counts, writes 16 KiB, and answers with the count.
;; A message whose JSON begins with `{"Data":"error` fails, after it changed the memory as any other.
(module
  (memory (export "memory") PAGES)
  (table (export "__indirect_function_table") 1 funcref)
  (global $stack (mut i32) (i32.const 1048576))
  (data (i32.const 1024) "{\"ok\":true,\"response\":{\"Output\":\"        \"}}\00")
  (data (i32.const 1088) "{\"ok\":true,\"response\":{\"Error\":\"refused\"}}\00")
  (func (export "__wasm_call_ctors"))
  (func (export "emscripten_stack_init"))
  (func (export "emscripten_stack_get_end") (result i32) (i32.const 65536))
  (func (export "emscripten_stack_get_current") (result i32) (global.get $stack))
  (func (export "_emscripten_stack_restore") (param i32) (global.set $stack (local.get 0)))
  (func (export "_emscripten_stack_alloc") (param $bytes i32) (result i32)
    (global.set $stack (i32.and (i32.sub (global.get $stack) (local.get $bytes)) (i32.const -16)))
    (global.get $stack))
  (func (export "handle") (param $message i32) (param $env i32) (result i32) (local $at i32) (local $count i64)
    (local.set $count (i64.add (i64.load (i32.const 2048)) (i64.const 1)))
    (i64.store (i32.const 2048) (local.get $count))
    (local.set $at (i32.const 1048576))
    (loop $fill
      (i64.store (local.get $at) (i64.mul (local.get $count) (i64.const 0x9e3779b97f4a7c15)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $fill (i32.lt_u (local.get $at) (i32.const 1064960))))
    ;; `error` and nothing else begins with an e
    (if (i32.eq (i32.load8_u (i32.add (local.get $message) (i32.const 9))) (i32.const 101)) (then (return (i32.const 1088))))
    ;; eight digits, last first
    (local.set $at (i32.const 1064))
    (loop $digit
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $count) (i64.const 10)))))
      (local.set $count (i64.div_u (local.get $count) (i64.const 10)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $digit (i32.gt_u (local.get $at) (i32.const 1056))))
    (i32.const 1024)))
