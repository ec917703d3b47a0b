# frozen_string_literal: true

require 'stringio'
require_relative 'errors'
require_relative 'context'
require_relative 'handler'
require_relative 'output'

module LambdaGuest
  # The life of an execution environment: set up, load, serve.
  class Runtime
    # Lambda's own words; 6,291,556 bytes is its limit for a buffered response.
    TOO_LARGE = {
      errorType: 'Function.ResponseSizeTooLarge',
      errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).'
    }.freeze

    def initialize(frames)
      @frames = frames
    end

    def run
      type, body = @frames.receive
      return if type.nil? || type == Frames::SHUTDOWN
      raise IOError, "expected an init frame, got type #{type}" unless type == Frames::INIT

      @init = JSON.parse(body)
      set_up
      handler = load_handler
      Output.finish
      @frames.transmit(Frames::INIT_DONE)
      serve(handler)
    ensure
      # A function's at_exit blocks run after this; what was printed before is not to be lost.
      Output.finish if @init
    end

    private

    def set_up
      # Absent where a launcher has started this process with the function's variables, to which a wrapper may have added.
      ENV.replace(@init['environment']) if @init['environment']
      Dir.chdir(@init['taskRoot'])
      Output.install(@frames, @init['logFormat'].to_s.upcase == 'JSON', @init['applicationLogLevel'])
      # Read by the interpreter when it starts, which it may have done before the function was known.
      libraries = ENV.fetch('RUBYLIB', '').split(':') + layers { |root| [File.join(root, 'ruby', 'lib')] }
      $LOAD_PATH.unshift(*(libraries.uniq - $LOAD_PATH).reject(&:empty?))
      use_gems
    end

    def layers(&block)
      (@init['layerPaths'] || []).flat_map(&block)
    end

    def use_gems
      return unless defined?(Gem)

      version = RbConfig::CONFIG['ruby_version']
      paths = ENV.fetch('GEM_PATH', '').split(':') + layers { |root| [File.join(root, 'ruby', 'gems', version)] }
      Gem.paths = { 'GEM_HOME' => ENV['GEM_HOME'], 'GEM_PATH' => paths.uniq.join(':') } unless paths.empty?
    end

    def load_handler
      Handler.new(@init['handler'], @init['taskRoot'])
    rescue Exception => e # rubocop:disable Lint/RescueException -- SystemExit too is told, as AWS's runtime does
      document = Errors.document(e, 'Init')
      Output.failure("Init error when loading handler #{@init['handler']}", document)
      @frames.transmit(Frames::INIT_ERROR, JSON.generate(document))
      exit(252)
    end

    def serve(handler)
      loop do
        type, body = @frames.receive
        return unless type == Frames::INVOKE

        header, data = Frames.split(body)
        Output.request_id = header['requestId']
        Output.tenant_id = header['tenantId']
        ENV['_X_AMZN_TRACE_ID'] = header['traceId']
        answer(handler, header, data)
      end
    end

    def answer(handler, header, data)
      payload, content_type = respond(handler, header, data)
      Output.finish
      head = { requestId: header['requestId'], maxRssKb: peak_rss_kb }
      head[:contentType] = content_type if content_type
      fail_with(header, TOO_LARGE, nil) unless @frames.send_headed(Frames::RESPONSE, head, payload)
    rescue Exception => e # rubocop:disable Lint/RescueException -- SystemExit too is told, as AWS's runtime does
      told(header, e)
    end

    def respond(handler, header, data)
      event = JSON.parse(data.force_encoding(Encoding::UTF_8))
      result = handler.call(event, LambdaContext.new(@init, header))
      # As AWS's marshaller: what can be read is answered as it is, anything else as JSON.
      return [result.read.to_s, 'application/unknown'] if result.is_a?(StringIO) || result.is_a?(IO)

      [result.to_json, nil]
    end

    # AWS's runtime ends after a NameError, which NoMethodError is, and after what is no StandardError.
    def told(header, error)
      critical = error.is_a?(NameError) || !error.is_a?(StandardError)
      message = critical ? 'Critical exception from handler' : 'Error raised from handler method'
      document = Errors.document(error, 'Function')
      Output.failure(message, document)
      fail_with(header, document, critical)
      exit(255) if critical
    end

    def fail_with(header, document, critical)
      head = { requestId: header['requestId'], maxRssKb: peak_rss_kb, exit: critical == true }
      @frames.send_headed(Frames::ERROR, head, JSON.generate(document))
    end

    def peak_rss_kb
      File.read('/proc/self/status')[/^VmHWM:\s*(\d+)/, 1].to_i
    rescue SystemCallError
      0
    end
  end
end
