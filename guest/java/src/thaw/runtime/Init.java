package thaw.runtime;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the {@code init} frame holds. */
final class Init {
    final String handler;
    final String taskRoot;
    final String functionName;
    final String functionVersion;
    final int memoryMb;
    final String logGroup;
    final String logStream;
    final boolean jsonLogs;
    /** Whether hooks are to run before a snapshot, at the end of init. */
    final boolean snapStart;
    /** Lambda's application log level, or null where the function has set none. */
    final String logLevel;
    final List<String> layerPaths = new ArrayList<String>();
    final Map<String, String> environment = new LinkedHashMap<String, String>();

    Init(Map<String, Object> fields) {
        handler = text(fields, "handler");
        taskRoot = text(fields, "taskRoot");
        functionName = text(fields, "functionName");
        functionVersion = text(fields, "functionVersion");
        memoryMb = fields.get("memoryMb") instanceof Number ? ((Number) fields.get("memoryMb")).intValue() : 0;
        logGroup = text(fields, "logGroup");
        logStream = text(fields, "logStream");
        jsonLogs = "JSON".equalsIgnoreCase(text(fields, "logFormat"));
        snapStart = "snap-start".equals(text(fields, "initType"));
        logLevel = text(fields, "applicationLogLevel");
        if (fields.get("layerPaths") instanceof List)
            for (Object path : (List<?>) fields.get("layerPaths")) layerPaths.add(String.valueOf(path));
        if (fields.get("environment") instanceof Map)
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) fields.get("environment")).entrySet())
                environment.put(String.valueOf(entry.getKey()), String.valueOf(entry.getValue()));
        // A launcher has started this process with the function's variables, to which a wrapper may have added.
        else environment.putAll(System.getenv());
    }

    static String text(Map<String, Object> fields, String name) {
        Object value = fields.get(name);
        return value == null ? null : String.valueOf(value);
    }
}
