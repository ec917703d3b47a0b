package thaw.runtime;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reading and writing frames (guest/PROTOCOL.md). Both directions block: between two events nothing is to run. */
final class Frames {
    static final int INIT = 0x01;
    static final int INVOKE = 0x02;
    static final int SHUTDOWN = 0x03;
    static final int RESTORE = 0x05;
    static final int HELLO = 0x81;
    static final int INIT_DONE = 0x82;
    static final int INIT_ERROR = 0x83;
    static final int RESPONSE = 0x84;
    static final int ERROR = 0x85;
    static final int LOG = 0x86;

    /** The most bytes a frame may hold after its length field. */
    private static final int LIMIT = 32 * 1024 * 1024;
    /** Lambda keeps 256 KB of a log event; a longer one is cut far above that so that a frame can always hold it. */
    private static final int LOG_LIMIT = 4 * 1024 * 1024;

    private final InputStream input;
    private final OutputStream output;

    private Frames(InputStream input, OutputStream output) {
        this.input = input;
        this.output = output;
    }

    /**
     * The channel of this process. The descriptors may be sockets, which cannot be opened anew through /proc, and Java has
     * no public way to take an inherited descriptor by its number.
     */
    static Frames open() throws Exception {
        return new Frames(new FileInputStream(descriptor(3)), new FileOutputStream(descriptor(4)));
    }

    private static FileDescriptor descriptor(int number) throws Exception {
        Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);
        constructor.setAccessible(true);
        return constructor.newInstance(number);
    }

    /** One frame as it came. */
    static final class Frame {
        final int type;
        private final byte[] body;

        Frame(int type, byte[] body) {
            this.type = type;
            this.body = body;
        }

        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        /** The JSON header of a headed body. */
        String header() {
            return new String(body, 4, int32(body, 0), StandardCharsets.UTF_8);
        }

        byte[] payload() {
            return Arrays.copyOfRange(body, 4 + int32(body, 0), body.length);
        }
    }

    /** Returns the next frame, or null at the end of the stream. */
    Frame receive() throws IOException {
        byte[] head = read(4);
        if (head == null) return null;
        int length = int32(head, 0);
        if (length < 1 || length > LIMIT) throw new IOException("a frame of " + length + " bytes");
        byte[] bytes = read(length);
        return bytes == null ? null : new Frame(bytes[0] & 0xff, Arrays.copyOfRange(bytes, 1, length));
    }

    private byte[] read(int wanted) throws IOException {
        byte[] bytes = new byte[wanted];
        for (int have = 0; have < wanted; ) {
            int got = input.read(bytes, have, wanted - have);
            if (got < 0) return null;
            have += got;
        }
        return bytes;
    }

    void send(int type, String body) throws IOException {
        send(type, utf8(body));
    }

    private void send(int type, byte[] body) throws IOException {
        byte[] frame = new byte[5 + body.length];
        int32(frame, 0, body.length + 1);
        frame[4] = (byte) type;
        System.arraycopy(body, 0, frame, 5, body.length);
        // The function's threads may log while its handler answers; a frame must leave in one piece.
        synchronized (this) {
            output.write(frame);
        }
    }

    /** Sends a headed frame; returns false, with nothing sent, when it exceeds the limit. */
    boolean answer(int type, String header, byte[] payload) throws IOException {
        byte[] head = utf8(header);
        if (payload.length > LIMIT - head.length - 5) return false;
        byte[] body = new byte[4 + head.length + payload.length];
        int32(body, 0, head.length);
        System.arraycopy(head, 0, body, 4, head.length);
        System.arraycopy(payload, 0, body, 4 + head.length, payload.length);
        send(type, body);
        return true;
    }

    /** Sends one log event, final as it stands. */
    void log(byte[] text, int length) throws IOException {
        int kept = Math.min(length, LOG_LIMIT);
        byte[] body = new byte[8 + kept];
        long now = System.currentTimeMillis();
        int32(body, 0, (int) (now >>> 32));
        int32(body, 4, (int) now);
        System.arraycopy(text, 0, body, 8, kept);
        send(LOG, body);
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private static int int32(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 24 | (bytes[at + 1] & 0xff) << 16 | (bytes[at + 2] & 0xff) << 8 | bytes[at + 3] & 0xff;
    }

    private static void int32(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >>> 24);
        bytes[at + 1] = (byte) (value >>> 16);
        bytes[at + 2] = (byte) (value >>> 8);
        bytes[at + 3] = (byte) value;
    }
}
