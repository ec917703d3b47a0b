package thaw.runtime;

import com.amazonaws.services.lambda.crac.Core;
import java.util.LinkedHashMap;
import java.util.Map;

/** SnapStart: what happens at the end of init, and when an environment is restored (guest/PROTOCOL.md). */
final class Snapshot {
    private Snapshot() {}

    /** Tells the library {@code org.crac}, where a function brings it, of the types that it stands for here. */
    static void offerHooks() {
        System.setProperty("org.crac.Core.Compat", "com.amazonaws.services.lambda.crac");
    }

    /** @throws Fault where a hook has failed */
    static void before() {
        try {
            Core.getGlobalContext().beforeCheckpoint(null);
        } catch (Exception thrown) {
            throw fault(thrown, "Runtime.BeforeCheckpointError");
        }
    }

    /** @param variables those that have changed @throws Fault where a hook has failed */
    static void restored(Map<String, Object> variables) throws ReflectiveOperationException {
        Map<String, String> all = new LinkedHashMap<String, String>(System.getenv());
        for (Map.Entry<String, Object> entry : variables.entrySet())
            all.put(entry.getKey(), String.valueOf(entry.getValue()));
        ProcessEnvironment.replace(all);
        try {
            Core.getGlobalContext().afterRestore(null);
        } catch (Exception thrown) {
            throw fault(thrown, "Runtime.AfterRestoreError");
        }
    }

    private static Fault fault(Exception thrown, String type) {
        Throwable[] hooks = thrown.getSuppressed();
        Throwable first = hooks.length == 0 ? thrown : hooks[0];
        return new Fault(String.valueOf(first), type, first, true);
    }
}
