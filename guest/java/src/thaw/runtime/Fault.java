package thaw.runtime;

import java.io.IOError;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** A failure as Invoke answers it and as the log tells it. */
final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1;
    private static final String OWN_PACKAGE = "thaw.runtime.";

    private final String type;
    private final Throwable origin;
    /** Whether the log shows {@code origin}'s trace alone: what the runtime itself found has none in the answer. */
    private final boolean found;
    /** Whether the environment must not serve another event. */
    final boolean fatal;

    /** What the runtime itself found. @param type may be null, as AWS leaves it out then */
    Fault(String message, String type, Throwable origin, boolean fatal) {
        super(message, null, false, false);
        this.type = type;
        this.origin = origin;
        this.found = true;
        this.fatal = fatal;
    }

    private Fault(Throwable origin, boolean fatal) {
        super(message(origin), null, false, false);
        this.type = origin.getClass().getName();
        this.origin = origin;
        this.found = false;
        this.fatal = fatal;
    }

    /** What the function threw; a broken virtual machine is not used again. */
    static Fault of(Throwable thrown) {
        if (thrown instanceof Fault) return (Fault) thrown;
        return new Fault(thrown, thrown instanceof VirtualMachineError || thrown instanceof IOError);
    }

    /** A constructor or a static initialiser of the function that threw. */
    static Fault whileLoading(Throwable thrown, boolean fatal) {
        return new Fault(message(thrown), thrown.getClass().getName(), thrown, fatal);
    }

    private static String message(Throwable thrown) {
        String message = thrown.getLocalizedMessage();
        return message == null ? thrown.getClass().getName() : message;
    }

    /** {@code {errorMessage, errorType, stackTrace, cause}}. */
    String document() {
        StringBuilder json = new StringBuilder();
        if (found) {
            json.append("{\"errorMessage\":").append(JsonWriter.quote(getMessage()));
            if (type != null) json.append(",\"errorType\":").append(JsonWriter.quote(type));
            return json.append('}').toString();
        }
        hideRuntime(origin, newSet());
        append(json, origin, newSet());
        return json.toString();
    }

    private static void append(StringBuilder json, Throwable thrown, Set<Throwable> seen) {
        seen.add(thrown);
        json.append("{\"errorMessage\":").append(JsonWriter.quote(message(thrown)));
        json.append(",\"errorType\":").append(JsonWriter.quote(thrown.getClass().getName()));
        json.append(",\"stackTrace\":[");
        String separator = "";
        for (StackTraceElement element : thrown.getStackTrace()) {
            json.append(separator).append(JsonWriter.quote(element.toString()));
            separator = ",";
        }
        json.append(']');
        Throwable cause = thrown.getCause();
        if (cause != null && !seen.contains(cause)) append(json.append(",\"cause\":"), cause, seen);
        json.append('}');
    }

    /** The log event of it: message, class and trace. */
    String report() {
        if (type == null) return getMessage() + "\n";
        String trace = "";
        if (origin != null) {
            hideRuntime(origin, newSet());
            StringWriter text = new StringWriter();
            origin.printStackTrace(new PrintWriter(text, true));
            trace = text.toString();
        }
        return getMessage() + ": " + type + "\n" + trace + "\n";
    }

    /** Cuts the runtime's own frames, and all that called them, from the traces. */
    private static void hideRuntime(Throwable thrown, Set<Throwable> seen) {
        if (thrown == null || !seen.add(thrown)) return;
        StackTraceElement[] trace = thrown.getStackTrace();
        for (int i = 0; i < trace.length; i++)
            if (trace[i].getClassName().startsWith(OWN_PACKAGE)) {
                thrown.setStackTrace(Arrays.copyOf(trace, i));
                break;
            }
        hideRuntime(thrown.getCause(), seen);
        for (Throwable suppressed : thrown.getSuppressed()) hideRuntime(suppressed, seen);
    }

    private static Set<Throwable> newSet() {
        return Collections.newSetFromMap(new IdentityHashMap<Throwable, Boolean>());
    }

    /** Cuts the frames of {@code Method.invoke}, for handlers that AWS's runtime calls through their interface. */
    static Throwable hideReflection(Throwable thrown) {
        StackTraceElement[] trace = thrown.getStackTrace();
        int end = trace.length;
        for (int i = 0; i < trace.length && end == trace.length; i++)
            if (trace[i].getClassName().startsWith(OWN_PACKAGE)) end = i;
        while (end > 0 && isReflection(trace[end - 1].getClassName())) end--;
        thrown.setStackTrace(Arrays.copyOf(trace, end));
        return thrown;
    }

    private static boolean isReflection(String name) {
        return name.startsWith("java.lang.reflect.")
                || name.startsWith("jdk.internal.reflect.")
                || name.startsWith("sun.reflect.");
    }

    /** Throws what is checked without declaring it. */
    @SuppressWarnings("unchecked")
    static <T extends Throwable> RuntimeException sneak(Throwable thrown) throws T {
        throw (T) thrown;
    }
}
