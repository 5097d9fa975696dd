;; A module that obeys the first word of a message's Data. small-module.ts lists the words.
;;
;; Written once for both widths: `ptr` stands for i32 or i64, PTR_BYTES for 4 or 8, and (text "…") for a literal's address and
;; length. It uses only instructions of the first WASM version, because the metering formats know no others.
;;
;;       0  emscripten's cookie          65,536  the stack's end, emscripten's cookie
;;   1,024  the counter               1,114,112  the stack's start; the answer
;;   1,040  two sizes                 1,179,648  the pattern
;;   1,088  the loader's data         1,245,184  the content of a file
;;   2,048  literals                   16,384  an address and a length; 16,448 the result of stat
;;                                     16,640  a time, its parts; 16,768 a zone
;;   8,192  the environment's addresses, then at 10,240 its strings

(global $stack (mut ptr) (ptr.const 1114112))
(global $out (mut ptr) (ptr.const 0))
(global $message (mut ptr) (ptr.const 0))
(global $word (mut ptr) (ptr.const 0))
(global $argument (mut ptr) (ptr.const 0))
(global $async (mut i32) (i32.const 0))
(global $step (mut i32) (i32.const 0))
(global $fd (mut i32) (i32.const 0))
(global $times (mut i64) (i64.const 0))
(global $length (mut ptr) (ptr.const 0))
(global $read_to (mut ptr) (ptr.const 0))

(func $nothing)
(func $main (param i32 i32) (result i32) (i32.const 0))
(func $fflush (param ptr) (result i32) (i32.const 0))
(func $malloc (param ptr) (result ptr) (ptr.const 1088))
(func $free (param ptr))
(func $start_unwind (param ptr) (global.set $async (i32.const 1)))
(func $start_rewind (param ptr) (global.set $async (i32.const 2)))
(func $stop_winding (global.set $async (i32.const 0)))
(func $stack_base (result ptr) (ptr.const 1114112))
(func $stack_end (result ptr) (ptr.const 65536))
(func $stack_save (result ptr) (global.get $stack))
(func $stack_restore (param ptr) (global.set $stack (local.get 0)))
(func $stack_alloc (param $bytes ptr) (result ptr)
  (if (ptr.gt_u (local.get $bytes) (ptr.sub (global.get $stack) (ptr.const 65568))) (then (unreachable)))
  (global.set $stack (ptr.and (ptr.sub (global.get $stack) (local.get $bytes)) (ptr.const -16)))
  (global.get $stack))

(func $handle (param $message ptr) (param $env ptr) (result ptr) (local $number i32)
  (if (i32.ne (global.get $async) (i32.const 2)) (then
    (global.set $out (ptr.const 1114112))
    (global.set $message (local.get $message))
    (call $find_data (local.get $message))
    (global.set $step (i32.const 0))))
  (block $answered
    (if (i32.or (i32.eq (global.get $async) (i32.const 2)) (i32.or (call $is (text "file")) (call $is (text "slurp")))) (then
      (if (i32.eqz (call $files)) (then (return (ptr.const 0))))
      (br $answered)))
    (if (call $is (text "echo")) (then (call $echo) (br $answered)))
    (if (call $is (text "count")) (then (call $change) (call $output_number (i64.load (ptr.const 1024))) (br $answered)))
    (if (call $is (text "errorat")) (then (call $error_at) (br $answered)))
    (if (call $is (text "height")) (then (call $change) (call $output_number (call $height)) (br $answered)))
    (if (call $is (text "dirty")) (then (call $dirty) (br $answered)))
    (if (call $is (text "pages")) (then (call $output_number (call $number_of (memory.size))) (br $answered)))
    (if (call $is (text "clock")) (then (call $output_number (i64.trunc_f64_s (call $date_now))) (br $answered)))
    (if (call $is (text "env")) (then (call $environment) (br $answered)))
    (if (call $is (text "num")) (then (call $num) (br $answered)))
    (if (call $is (text "tags")) (then (call $tags) (br $answered)))
    (if (call $is (text "big")) (then (call $big) (br $answered)))
    (if (call $is (text "deep")) (then (call $deep) (br $answered)))
    (if (call $is (text "error")) (then (call $change) (call $boom) (br $answered)))
    (if (call $is (text "throw")) (then
      (call $change)
      (call $put (text "{\"ok\":false,\"response\":\"boom\"}"))
      (br $answered)))
    (if (call $is (text "bad")) (then (call $change) (call $put (text "not JSON")) (br $answered)))
    (if (call $is (text "oom")) (then
      (call $change)
      (call $output (text "42: not enough memory for buffer allocation"))
      (br $answered)))
    (if (call $is (text "trap")) (then (call $change) (unreachable)))
    (if (call $is (text "hang")) (then (call $change) (call $hang)))
    (if (call $is (text "grow")) (then
      (call $grow)
      (call $output_number (call $number_of (memory.size)))
      (br $answered)))
    (if (call $is (text "growerr")) (then (call $grow) (call $boom) (br $answered)))
    (if (call $is (text "growforever")) (then (call $change) (call $grow_forever)))
    (if (call $is (text "growraw")) (then
      (call $change)
      (drop (memory.grow (ptr.const 16)))
      (call $output_number (call $number_of (memory.size)))
      (br $answered)))
    MORE_WORDS
    (if (call $is (text "print")) (then (call $output_signed (call $write (i32.const 1))) (br $answered)))
    (if (call $is (text "now")) (then (call $output_number (i64.trunc_f64_s (call $number_now))) (br $answered)))
    (if (call $is (text "open")) (then
      (local.set $number (call $leading_number))
      (i32.store (ptr.const 16384) (i32.const 438))
      (call $output_signed
        (call $openat (i32.const -100) (call $path) (local.get $number) (ptr.const 16384)))
      (br $answered)))
    (if (call $is (text "write")) (then (call $output_signed (call $write (call $leading_number))) (br $answered)))
    (if (call $is (text "read")) (then (call $output_signed (call $read (call $leading_number))) (br $answered)))
    (if (call $is (text "close")) (then (call $output_signed (call $fd_close (call $leading_number))) (br $answered)))
    (if (call $is (text "stat")) (then (call $output_signed (call $stat (call $path) (ptr.const 16448))) (br $answered)))
    (if (call $is (text "mkdir")) (then
      (call $output_signed (call $mkdirat (i32.const -100) (call $path) (i32.const 511)))
      (br $answered)))
    (if (call $is (text "unlink")) (then
      (call $output_signed (call $unlinkat (i32.const -100) (call $path) (i32.const 0)))
      (br $answered)))
    (if (call $is (text "local")) (then
      (call $local_time (call $number (i64.const 0)) (ptr.const 16648))
      (call $output_signed (i32.load (ptr.const 16656)))
      (br $answered)))
    (if (call $is (text "tz")) (then (call $set_zone) (call $output (text "")) (br $answered)))
    (call $output (text "")))
  (call $put_byte (i32.const 0))
  (ptr.const 1114112))

;; Reading the message

;; Sets $word to the text after `"Data":"`, eight characters that are compared as one i64; or, because a cron has no data, to the
;; value of the tag Word, after `"Word","value":"`; or to a quote if there is neither.
(func $find_data (param $message ptr) (local $at ptr)
  (local.set $at (local.get $message))
  (loop $more
    (if (i64.eq (i64.load (local.get $at)) (i64.const 0x223a226174614422))
      (then (global.set $word (ptr.add (local.get $at) (ptr.const 8))) (return)))
    (if (i64.eq (i64.load (local.get $at)) (i64.const 0x222c2264726f5722))
      (then (global.set $word (ptr.add (local.get $at) (ptr.const 16))) (return)))
    (local.set $at (ptr.add (local.get $at) (ptr.const 1)))
    (br_if $more (i32.load8_u (local.get $at))))
  (call $set_word (text "\""))
  MORE_FIND)

;; The block's height in the message; 0 if there is none.
(func $height (result i64) (local $at ptr)
  (local.set $at (global.get $message))
  (loop $more
    (if (i64.eq (i64.load (local.get $at)) (i64.const 0x482d6b636f6c4222)) (then
      (global.set $argument (ptr.add (local.get $at) (ptr.const 15)))
      (return (call $number (i64.const 0)))))
    (local.set $at (ptr.add (local.get $at) (ptr.const 1)))
    (br_if $more (i32.load8_u (local.get $at))))
  (i64.const 0))

(func $error_at
  (call $change)
  (if (i64.eq (call $number (i64.const 1)) (i64.load (ptr.const 1024)))
    (then (call $boom))
    (else (call $output_number (i64.load (ptr.const 1024))))))

(func $set_word (param $at ptr) (param $length ptr) (global.set $word (local.get $at)))

;; Whether the word is this one; if so, sets $argument to the text after it and one space.
(func $is (param $name ptr) (param $length ptr) (result i32) (local $i ptr) (local $next i32)
  (loop $more
    (if (ptr.lt_u (local.get $i) (local.get $length)) (then
      (if (i32.ne
            (i32.load8_u (ptr.add (local.get $name) (local.get $i)))
            (i32.load8_u (ptr.add (global.get $word) (local.get $i))))
        (then (return (i32.const 0))))
      (local.set $i (ptr.add (local.get $i) (ptr.const 1)))
      (br $more))))
  (global.set $argument (ptr.add (global.get $word) (local.get $i)))
  (local.set $next (i32.load8_u (global.get $argument)))
  (if (i32.eq (local.get $next) (i32.const 32)) (then
    (global.set $argument (ptr.add (global.get $argument) (ptr.const 1)))
    (return (i32.const 1))))
  (i32.eq (local.get $next) (i32.const 34)))

;; The argument's length up to the quote that ends the Data, with escapes.
(func $argument_length (result ptr) (local $at ptr) (local $next i32)
  (local.set $at (global.get $argument))
  (block $end
    (loop $more
      (local.set $next (i32.load8_u (local.get $at)))
      (br_if $end (i32.or (i32.eqz (local.get $next)) (i32.eq (local.get $next) (i32.const 34))))
      (local.set $at (ptr.add (local.get $at)
        (select (ptr.const 2) (ptr.const 1) (i32.eq (local.get $next) (i32.const 92)))))
      (br $more)))
  (ptr.sub (local.get $at) (global.get $argument)))

;; The argument as a number, or $otherwise if it is not one.
(func $number (param $otherwise i64) (result i64) (local $at ptr) (local $digit i32) (local $value i64)
  (local.set $at (global.get $argument))
  (block $end
    (loop $more
      (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
      (br_if $end (i32.gt_u (local.get $digit) (i32.const 9)))
      (local.set $value (i64.add
        (i64.mul (local.get $value) (i64.const 10))
        (i64.extend_i32_u (local.get $digit))))
      (local.set $at (ptr.add (local.get $at) (ptr.const 1)))
      (br $more)))
  (select (local.get $otherwise) (local.get $value) (ptr.eq (local.get $at) (global.get $argument))))

;; Writing the answer

(func $put_byte (param $byte i32)
  (i32.store8 (global.get $out) (local.get $byte))
  (global.set $out (ptr.add (global.get $out) (ptr.const 1))))

(func $put (param $from ptr) (param $length ptr)
  (call $reserve (ptr.add (global.get $out) (ptr.add (local.get $length) (ptr.const 65536))))
  (block $end
    (loop $more
      (br_if $end (ptr.eqz (local.get $length)))
      (call $put_byte (i32.load8_u (local.get $from)))
      (local.set $from (ptr.add (local.get $from) (ptr.const 1)))
      (local.set $length (ptr.sub (local.get $length) (ptr.const 1)))
      (br $more))))

(func $put_times (param $byte i32) (param $times ptr)
  (call $reserve (ptr.add (global.get $out) (ptr.add (local.get $times) (ptr.const 65536))))
  (block $end
    (loop $more
      (br_if $end (ptr.eqz (local.get $times)))
      (call $put_byte (local.get $byte))
      (local.set $times (ptr.sub (local.get $times) (ptr.const 1)))
      (br $more))))

(func $put_number (param $number i64)
  (if (i64.gt_u (local.get $number) (i64.const 9))
    (then (call $put_number (i64.div_u (local.get $number) (i64.const 10)))))
  (call $put_byte (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10))))))

;; A zero-terminated string as part of a JSON text.
(func $put_escaped (param $from ptr) (local $next i32)
  (block $end
    (loop $more
      (local.set $next (i32.load8_u (local.get $from)))
      (br_if $end (i32.eqz (local.get $next)))
      (if (i32.or (i32.eq (local.get $next) (i32.const 34)) (i32.eq (local.get $next) (i32.const 92)))
        (then (call $put_byte (i32.const 92))))
      (call $put_byte (local.get $next))
      (local.set $from (ptr.add (local.get $from) (ptr.const 1)))
      (br $more))))

(func $begin (call $put (text "{\"ok\":true,\"response\":{\"Output\":")))
(func $end (call $put (text "}}")))
(func $quote (call $put_byte (i32.const 34)))
(func $boom (call $put (text "{\"ok\":true,\"response\":{\"Error\":\"boom\",\"Output\":\"failed\"}}")))

(func $output (param $from ptr) (param $length ptr)
  (call $begin)
  (call $quote)
  (call $put (local.get $from) (local.get $length))
  (call $quote)
  (call $end))

(func $output_number (param $number i64)
  (call $begin)
  (call $quote)
  (call $put_number (local.get $number))
  (call $quote)
  (call $end))

;; The host's files and times

(func $output_signed (param $number i32)
  (call $begin)
  (call $quote)
  (if (i32.lt_s (local.get $number) (i32.const 0)) (then
    (call $put_byte (i32.const 45))
    (local.set $number (i32.sub (i32.const 0) (local.get $number)))))
  (call $put_number (i64.extend_i32_u (local.get $number)))
  (call $quote)
  (call $end))

;; Takes a number from the start of the argument and leaves the rest in it.
(func $leading_number (result i32) (local $number i32)
  (local.set $number (i32.wrap_i64 (call $number (i64.const 0))))
  (call $skip_number)
  (local.get $number))

(func $path (result ptr)
  (i32.store8 (ptr.add (global.get $argument) (call $argument_length)) (i32.const 0))
  (global.get $argument))

(func $vector (param $at ptr) (param $length ptr)
  (ptr.store (ptr.const 16384) (local.get $at))
  (ptr.store (ptr.add (ptr.const 16384) (ptr.const PTR_BYTES)) (local.get $length)))

(func $write (param $fd i32) (result i32)
  (call $vector (global.get $argument) (call $argument_length))
  (call $fd_write (local.get $fd) (ptr.const 16384) (ptr.const 1) (ptr.const 16416)))

(func $read (param $fd i32) (result i32)
  (call $vector (ptr.const 1245184) (call $ptr_of (call $number (i64.const 1))))
  (call $fd_read (local.get $fd) (ptr.const 16384) (ptr.const 1) (ptr.const 16416)))

(func $number_now (result f64) (local $now f64)
  (local.set $now (call $get_now))
  (if (f64.ne (local.get $now) (local.get $now)) (then (return (f64.const 0))))
  (local.get $now))

;; Memory

(func $heap_end (result ptr) (ptr.mul (memory.size) (ptr.const 65536)))

(func $reserve (param $end ptr)
  (if (ptr.gt_u (local.get $end) (call $heap_end)) (then
    (if (i32.eqz (call $resize_heap (local.get $end))) (then (unreachable))))))

;; Writes a pattern that depends on the counter.
(func $fill (param $at ptr) (param $bytes ptr) (local $end ptr) (local $value i64)
  (local.set $end (ptr.add (local.get $at) (local.get $bytes)))
  (local.set $value (i64.mul (i64.load (ptr.const 1024)) (i64.const 0x9e3779b97f4a7c15)))
  (loop $more
    (if (ptr.lt_u (local.get $at) (local.get $end)) (then
      (i64.store (local.get $at) (local.get $value))
      (local.set $value (i64.add (local.get $value) (i64.const 0x100000001)))
      (local.set $at (ptr.add (local.get $at) (ptr.const 8)))
      (br $more)))))

(func $change
  (i64.store (ptr.const 1024) (i64.add (i64.load (ptr.const 1024)) (i64.const 1)))
  (call $fill (ptr.const 1179648) (ptr.const 16384)))

;; The words

(func $echo (call $output (global.get $argument) (call $argument_length)))

(func $dirty (local $kib i64) (local $bytes ptr)
  (local.set $kib (call $number (i64.const 64)))
  (local.set $bytes (call $ptr_of (i64.mul (local.get $kib) (i64.const 1024))))
  (call $change)
  (call $reserve (ptr.add (ptr.const 1179648) (local.get $bytes)))
  (call $fill (ptr.const 1179648) (local.get $bytes))
  (call $output_number (local.get $kib)))

(func $environment (local $i ptr) (local $count ptr)
  (drop (call $environ_sizes_get (ptr.const 1040) (ptr.const 1048)))
  (local.set $count (ptr.load (ptr.const 1040)))
  (drop (call $environ_get (ptr.const 8192) (ptr.const 10240)))
  (call $begin)
  (call $quote)
  (loop $more
    (if (ptr.lt_u (local.get $i) (local.get $count)) (then
      (call $put_escaped (ptr.load (ptr.add (ptr.const 8192) (ptr.mul (local.get $i) (ptr.const PTR_BYTES)))))
      (call $put (text "\\n"))
      (local.set $i (ptr.add (local.get $i) (ptr.const 1)))
      (br $more))))
  (call $quote)
  (call $end))

(func $num (local $length ptr)
  (local.set $length (call $argument_length))
  (call $begin)
  (if (ptr.eqz (local.get $length))
    (then (call $put (text "42")))
    (else (call $put (global.get $argument) (local.get $length))))
  (call $end))

(func $tags
  (call $put (text "{\"ok\":true,\"response\":{\"Output\":{\"data\":\"\",\"__proto__\":{\"polluted\":true}},\"Messages\":["))
  (call $put (text "{\"Target\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","))
  (call $put (text "\"Anchor\":\"00000000000000000000000000000001\","))
  (call $put (text "\"Data\":\"tagged\",\"Tags\":[{\"name\":\"__proto__\",\"value\":\"polluted\"},"))
  (call $put (text "{\"name\":\"constructor\",\"value\":\"polluted\"},{\"name\":\"Quantity\",\"value\":\""))
  (call $put_number (i64.load (ptr.const 1024)))
  (call $put (text "\"}]}]}}")))

(func $big
  (call $begin)
  (call $quote)
  (call $put_times (i32.const 120) (call $ptr_of (call $number (i64.const 1000000))))
  (call $quote)
  (call $end))

(func $deep (local $levels ptr)
  (local.set $levels (call $ptr_of (call $number (i64.const 10000))))
  (call $begin)
  (call $put_times (i32.const 91) (local.get $levels))
  (call $put_times (i32.const 93) (local.get $levels))
  (call $end))

(func $hang (loop $ever (br $ever)))

(func $grow
  (call $change)
  (call $reserve (ptr.add (call $heap_end) (call $ptr_of (i64.mul (call $number (i64.const 16)) (i64.const 65536)))))
  (call $fill (ptr.sub (call $heap_end) (ptr.const 65536)) (ptr.const 65536)))

;; Writes to every page that it gets, because untouched pages would cost nothing.
(func $grow_forever (local $at ptr)
  (block $refused
    (loop $more
      (local.set $at (call $heap_end))
      (br_if $refused (i32.eqz (call $resize_heap (ptr.add (local.get $at) (ptr.const 16777216)))))
      (loop $touch
        (i64.store (local.get $at) (i64.const -1))
        (local.set $at (ptr.add (local.get $at) (ptr.const 4096)))
        (br_if $touch (ptr.lt_u (local.get $at) (call $heap_end))))
      (br $more)))
  (call $hang))

;; Files, which the loader opens, reads and closes while this module is suspended: it returns as soon as $async is 1, and is called
;; again with $async at 2 to repeat the same call, which then answers. Globals keep its state.

(func $skip_number (local $digit i32)
  (block $end
    (loop $more
      (local.set $digit (i32.sub (i32.load8_u (global.get $argument)) (i32.const 48)))
      (br_if $end (i32.gt_u (local.get $digit) (i32.const 9)))
      (global.set $argument (ptr.add (global.get $argument) (ptr.const 1)))
      (br $more)))
  (global.set $argument (ptr.add (global.get $argument) (ptr.const 1))))

;; Returns 1 once the answer is written.
(func $files (result i32)
  (if (i32.eqz (global.get $step)) (then
    (if (i32.ne (global.get $async) (i32.const 2)) (then
      (global.set $times (i64.const 0))
      (global.set $read_to (ptr.const 1245184))
      (if (call $is (text "file")) (then
        (global.set $times (call $number (i64.const 1)))
        (call $skip_number)
        (global.set $length (call $ptr_of (call $number (i64.const 1))))
        (call $skip_number)))
      (i32.store8 (ptr.add (global.get $argument) (call $argument_length)) (i32.const 0))
      (global.set $word (global.get $argument))))
    (global.set $fd (call $drive_open (global.get $word) (ptr.const 0)))
    (if (i32.eq (global.get $async) (i32.const 1)) (then (return (i32.const 0))))
    (if (i32.eqz (global.get $fd)) (then (call $output (text "none")) (return (i32.const 1))))
    (if (i64.eqz (global.get $times)) (then
      (drop (call $seek_end (global.get $fd)))
      (global.set $times (i64.const 1))
      (global.set $length (ptr.load (ptr.const 1040)))))
    (call $reserve (ptr.add (global.get $read_to)
      (ptr.add (ptr.const 65536) (ptr.mul (global.get $length) (call $ptr_of (global.get $times))))))
    (global.set $step (i32.const 1))))
  (if (i32.eq (global.get $step) (i32.const 1)) (then
    (loop $more
      (if (i64.ne (global.get $times) (i64.const 0)) (then
        (drop (call $drive_read (global.get $fd) (global.get $read_to) (global.get $length)))
        (if (i32.eq (global.get $async) (i32.const 1)) (then (return (i32.const 0))))
        (global.set $read_to (ptr.add (global.get $read_to) (global.get $length)))
        (global.set $times (i64.sub (global.get $times) (i64.const 1)))
        (br $more))))
    (global.set $step (i32.const 2))))
  (drop (call $drive_close (global.get $fd)))
  (if (i32.eq (global.get $async) (i32.const 1)) (then (return (i32.const 0))))
  (i32.store8 (global.get $read_to) (i32.const 0))
  (call $begin)
  (call $quote)
  (call $put_escaped (ptr.const 1245184))
  (call $quote)
  (call $end)
  (i32.const 1))
