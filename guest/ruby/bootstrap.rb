# frozen_string_literal: true

# Entry point of every managed Ruby runtime: says hello, loads its own files, waits for `init`, serves events
# (guest/PROTOCOL.md). Hello goes first: the platform prepares `init` while json and logger are loaded. Only the standard
# library is used, and what it defines is in the one module LambdaGuest.

hello = format('{"pid":%d,"version":"%s"}', Process.pid, RUBY_VERSION)
# Descriptors that a function's own children must not hold open; Ruby closes what it made itself, not what it was given.
channel = [IO.for_fd(3, 'rb', autoclose: false), IO.for_fd(4, 'wb', autoclose: false)]
channel.each { |io| io.close_on_exec = true }
channel[1].syswrite([hello.bytesize + 1, 0x81].pack('NC') + hello)

require_relative 'lambda_guest/frames'
require_relative 'lambda_guest/runtime'

LambdaGuest::Runtime.new(LambdaGuest::Frames.new(*channel)).run
