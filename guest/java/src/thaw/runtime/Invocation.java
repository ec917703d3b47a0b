package thaw.runtime;

import java.util.Map;

/** What the header of an {@code invoke} frame tells of one event. */
final class Invocation {
    final Init init;
    final String requestId;
    final long deadlineMs;
    final String functionArn;
    final String traceId;
    final String tenantId;
    /** JSON texts, or null. */
    final String clientContext;

    final String identity;

    Invocation(Map<String, Object> header, Init init) {
        this.init = init;
        requestId = Init.text(header, "requestId");
        Object deadline = header.get("deadlineMs");
        deadlineMs = deadline instanceof Number ? ((Number) deadline).longValue() : 0;
        functionArn = Init.text(header, "invokedFunctionArn");
        traceId = Init.text(header, "traceId");
        tenantId = Init.text(header, "tenantId");
        clientContext = Init.text(header, "clientContext");
        identity = Init.text(header, "identity");
    }

    int remainingMs() {
        long left = deadlineMs - System.currentTimeMillis();
        return (int) Math.max(0, Math.min(left, Integer.MAX_VALUE));
    }
}
