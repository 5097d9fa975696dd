;; A module of one MiB and a bit that counts its messages, turns a wheel WORK times, and answers with the count in eight digits.
(module
  (memory (export "memory") 20 64)
  (table (export "__indirect_function_table") 1 funcref)
  (global $stack (mut i32) (i32.const 1048576))
  (data (i32.const 1024) "{\"ok\":true,\"response\":{\"Output\":\"        \"}}\00")
  (func (export "__wasm_call_ctors"))
  (func (export "emscripten_stack_init"))
  (func (export "emscripten_stack_get_end") (result i32) (i32.const 65536))
  (func (export "emscripten_stack_get_current") (result i32) (global.get $stack))
  (func (export "_emscripten_stack_restore") (param i32) (global.set $stack (local.get 0)))
  (func (export "_emscripten_stack_alloc") (param $bytes i32) (result i32)
    (global.set $stack (i32.and (i32.sub (global.get $stack) (local.get $bytes)) (i32.const -16)))
    (global.get $stack))
  (func (export "handle") (param i32 i32) (result i32) (local $at i32) (local $count i32) (local $wheel i32) (local $turns i32)
    (local.set $count (i32.add (i32.load (i32.const 2048)) (i32.const 1)))
    (i32.store (i32.const 2048) (local.get $count))
    (local.set $wheel (i32.load (i32.const 2052)))
    (block $turned
      (loop $turn
        (br_if $turned (i32.ge_u (local.get $turns) (i32.const WORK)))
        (local.set $wheel (i32.add (i32.mul (local.get $wheel) (i32.const 1664525)) (i32.const 1013904223)))
        (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
        (br $turn)))
    (i32.store (i32.const 2052) (local.get $wheel))
    ;; the last digit first
    (local.set $at (i32.const 1064))
    (loop $digit
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $count) (i32.const 10))))
      (local.set $count (i32.div_u (local.get $count) (i32.const 10)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $digit (i32.gt_u (local.get $at) (i32.const 1056))))
    (i32.const 1024)))
