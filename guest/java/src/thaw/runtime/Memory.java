package thaw.runtime;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** How much memory the process has used at most. */
final class Memory {
    private Memory() {}

    /** The peak in KiB, or 0 where the kernel does not tell it. */
    static long peakKb() {
        byte[] bytes = new byte[4096];
        try (FileInputStream status = new FileInputStream("/proc/self/status")) {
            int length = status.read(bytes);
            String text = new String(bytes, 0, Math.max(length, 0), StandardCharsets.ISO_8859_1);
            int start = text.indexOf("VmHWM:");
            int end = text.indexOf("kB", start);
            return start < 0 || end < 0 ? 0 : Long.parseLong(text.substring(start + 6, end).trim());
        } catch (IOException | NumberFormatException unknown) {
            return 0;
        }
    }
}
