# frozen_string_literal: true

require 'json'

module LambdaGuest
  # Reading and writing frames (guest/PROTOCOL.md). Both directions block: between two events nothing is to run.
  class Frames
    INIT = 0x01
    INVOKE = 0x02
    SHUTDOWN = 0x03
    INIT_DONE = 0x82
    INIT_ERROR = 0x83
    RESPONSE = 0x84
    ERROR = 0x85
    LOG = 0x86

    # The most bytes a frame may hold after its length field.
    LIMIT = 32 * 1024 * 1024
    # Lambda keeps 256 KB of a log event; a longer one is cut far above that so that a frame can always hold it.
    LOG_LIMIT = 4 * 1024 * 1024

    def initialize(input, output)
      @input = input
      @output = output
      @output.sync = true
      # A function's threads may log while its handler answers; a frame must leave in one piece.
      @writing = Mutex.new
      @process = Process.pid
    end

    # Returns [type, body], or nil at the end of the stream.
    def receive
      head = @input.read(4)
      return nil if head.nil? || head.bytesize < 4

      length = head.unpack1('N')
      raise IOError, "a frame of #{length} bytes" if length < 1 || length > LIMIT

      body = @input.read(length)
      return nil if body.nil? || body.bytesize < length

      [body.getbyte(0), body.byteslice(1, length - 1)]
    end

    # Returns the header (parsed) and the bytes of a headed body.
    def self.split(body)
      length = body.unpack1('N')
      [JSON.parse(body.byteslice(4, length)), body.byteslice(4 + length, body.bytesize)]
    end

    def transmit(type, body = '')
      write([body.bytesize + 1, type].pack('NC') << body.b)
    end

    # Sends a headed frame; returns false, with nothing sent, when it exceeds the limit.
    def send_headed(type, header, payload)
      head = JSON.generate(header)
      return false if head.bytesize + payload.bytesize + 5 > LIMIT

      transmit(type, [head.bytesize].pack('N') << head.b << payload.b)
      true
    end

    # Sends one log event, final as it stands.
    def log(text)
      bytes = text.b
      bytes = bytes.byteslice(0, LOG_LIMIT) if bytes.bytesize > LOG_LIMIT
      # A forked child shares the channel, and two writers would tear each other's frames; the platform reads descriptor 1
      # line by line.
      return IO.for_fd(1, 'wb', autoclose: false).syswrite(bytes << "\n") if @process != Process.pid

      transmit(LOG, [Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond)].pack('Q>') << bytes)
    end

    private

    def write(frame)
      # A trap handler may print, and must not take a lock; then nobody else of this thread holds the channel.
      return @output.write(frame) if @writing.owned?

      @writing.synchronize { @output.write(frame) }
    rescue ThreadError
      @output.write(frame)
    end
  end
end
