package thaw.runtime;

import java.lang.reflect.Field;
import java.util.Map;

/** Gives a process that has booted already the environment variables of its function. */
final class ProcessEnvironment {
    private ProcessEnvironment() {}

    /**
     * Makes {@code System.getenv} and the processes that the function starts see {@code variables} alone. Java has no way
     * to do that, so the JDK's own tables are written to; the command line opens the two packages they are in.
     */
    @SuppressWarnings("unchecked")
    static void replace(Map<String, String> variables) throws ReflectiveOperationException {
        Map<String, String> current = System.getenv();
        if (current.equals(variables)) return;
        Field wrapped = Class.forName("java.util.Collections$UnmodifiableMap").getDeclaredField("m");
        wrapped.setAccessible(true);
        Map<String, String> table = (Map<String, String>) wrapped.get(current);
        table.clear();
        table.putAll(variables);
    }
}
