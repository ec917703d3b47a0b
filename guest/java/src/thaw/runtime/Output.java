package thaw.runtime;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.text.SimpleDateFormat;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.TimeZone;

/** What a function prints and logs, as log events in one order. */
final class Output {
    /** Of a message that was logged without a level: never filtered, never marked. */
    static final String UNDEFINED = "UNDEFINED";

    private static final List<String> LEVELS =
            Arrays.asList(UNDEFINED, "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL");

    private final Frames frames;
    private final boolean json;
    private final int leastLevel;
    private final Lines out = new Lines();
    private final Lines err = new Lines();
    private volatile Invocation invocation;
    private SimpleDateFormat timestamp;

    Output(Frames frames, Init init) {
        this.frames = frames;
        this.json = init.jsonLogs;
        this.leastLevel = init.logLevel == null ? 0 : LEVELS.indexOf(init.logLevel.toUpperCase(Locale.ROOT));
    }

    void install() throws IOException {
        System.setOut(new PrintStream(out, false, "UTF-8"));
        System.setErr(new PrintStream(err, false, "UTF-8"));
        // System.exit passes by here: what was printed last is not to be lost.
        Runtime.getRuntime().addShutdownHook(new Thread("thaw-output") {
            @Override
            public void run() {
                finish();
            }
        });
    }

    void begin(Invocation next) {
        invocation = next;
    }

    /** Sends what was printed without a newline; called when an invocation ends. */
    void finish() {
        System.out.flush();
        System.err.flush();
        out.finish();
        err.finish();
    }

    /** Logs a failure of the function. */
    void error(String report) {
        log(report, json ? "ERROR" : UNDEFINED);
    }

    void log(String message, String level) {
        if (!enabled(level)) return;
        String text = json ? record(message, level) : level.equals(UNDEFINED) ? message : "[" + level + "] " + message;
        log(Frames.utf8(text), UNDEFINED);
    }

    /** Bytes are sent as they are, whatever the format. */
    void log(byte[] message, String level) {
        if (!enabled(level)) return;
        int length = message.length;
        if (length > 0 && message[length - 1] == '\n') length--;
        send(message, length);
    }

    private boolean enabled(String level) {
        return level.equals(UNDEFINED) || LEVELS.indexOf(level) >= leastLevel;
    }

    private synchronized String record(String message, String level) {
        if (timestamp == null) {
            timestamp = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT);
            timestamp.setTimeZone(TimeZone.getTimeZone("UTC"));
        }
        StringBuilder line = new StringBuilder("{\"timestamp\":").append(JsonWriter.quote(timestamp.format(new Date())));
        line.append(",\"message\":").append(JsonWriter.quote(message));
        line.append(",\"level\":").append(JsonWriter.quote(level));
        Invocation current = invocation;
        if (current != null) {
            line.append(",\"AWSRequestId\":").append(JsonWriter.quote(current.requestId));
            if (current.tenantId != null) line.append(",\"tenantId\":").append(JsonWriter.quote(current.tenantId));
        }
        return line.append('}').toString();
    }

    private void send(byte[] bytes, int length) {
        try {
            frames.log(bytes, length);
        } catch (IOException gone) {
            // The platform has ended; so will this process at its next read.
        }
    }

    /** A stream whose every line is a log event. */
    private final class Lines extends OutputStream {
        private byte[] pending = new byte[256];
        private int length;

        @Override
        public synchronized void write(int value) {
            if (value == '\n') {
                emit();
                return;
            }
            if (length == pending.length) pending = Arrays.copyOf(pending, length * 2);
            pending[length++] = (byte) value;
        }

        @Override
        public synchronized void write(byte[] bytes, int from, int count) {
            int start = from;
            int end = from + count;
            for (int i = from; i < end; i++)
                if (bytes[i] == '\n') {
                    append(bytes, start, i);
                    emit();
                    start = i + 1;
                }
            append(bytes, start, end);
        }

        private void append(byte[] bytes, int from, int to) {
            int needed = length + to - from;
            if (needed > pending.length) pending = Arrays.copyOf(pending, Math.max(needed, pending.length * 2));
            System.arraycopy(bytes, from, pending, length, to - from);
            length = needed;
        }

        private void emit() {
            int count = length > 0 && pending[length - 1] == '\r' ? length - 1 : length;
            length = 0;
            send(pending, count);
        }

        synchronized void finish() {
            if (length > 0) emit();
        }
    }
}
