package thaw.runtime;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Makes the {@code Context} argument, and what hangs on it, as instances of the function's own interfaces. */
final class Contexts {
    private static final Object ABSENT = new Object();

    private final Init init;
    private final FunctionClasses classes;
    private final Output output;
    private final Class<?> type;
    private final Object logger;
    private Method log4jPut;

    Contexts(Init init, FunctionClasses classes, Output output) {
        this.init = init;
        this.classes = classes;
        this.output = output;
        type = classes.core("Context");
        Class<?> loggerType = classes.core("LambdaLogger");
        logger = loggerType == null ? null : proxy(loggerType, new Logger());
    }

    /** Puts the logger where {@code LambdaRuntime.getLogger()} finds it, which log appenders call. */
    void installLogger() {
        Class<?> runtime = classes.core("LambdaRuntime");
        if (runtime == null || logger == null) return;
        try {
            Field field = runtime.getDeclaredField("logger");
            field.setAccessible(true);
            field.set(null, logger);
        } catch (ReflectiveOperationException | RuntimeException another) {
            // Another version of aws-lambda-java-core: its own logger prints, which is captured as well.
        }
    }

    /** @throws JsonException where the client context or the identity is no JSON */
    Object of(Invocation invocation) throws JsonException {
        tellLog4j(invocation);
        if (type == null) return null;
        return proxy(type, new Context(invocation, clientContext(invocation.clientContext), identity(invocation.identity)));
    }

    private Object clientContext(String json) throws JsonException {
        Class<?> contextType = classes.core("ClientContext");
        if (json == null || json.isEmpty() || contextType == null) return null;
        final Map<String, Object> given = JsonParser.parseObject(json);
        Class<?> clientType = classes.core("Client");
        Object client = null;
        if (clientType != null && given.get("client") instanceof Map) {
            Map<?, ?> fields = (Map<?, ?>) given.get("client");
            Map<String, Object> values = new LinkedHashMap<String, Object>();
            values.put("getInstallationId", fields.get("installation_id"));
            values.put("getAppTitle", fields.get("app_title"));
            values.put("getAppVersionName", fields.get("app_version_name"));
            values.put("getAppVersionCode", fields.get("app_version_code"));
            values.put("getAppPackageName", fields.get("app_package_name"));
            client = proxy(clientType, new Values(values));
        }
        Map<String, Object> values = new LinkedHashMap<String, Object>();
        values.put("getClient", client);
        values.put("getCustom", given.get("custom"));
        values.put("getEnvironment", given.get("env"));
        return proxy(contextType, new Values(values));
    }

    private Object identity(String json) throws JsonException {
        Class<?> identityType = classes.core("CognitoIdentity");
        if (json == null || json.isEmpty() || identityType == null) return null;
        Map<String, Object> given = JsonParser.parseObject(json);
        Map<String, Object> values = new LinkedHashMap<String, Object>();
        values.put("getIdentityId", given.get("cognitoIdentityId"));
        values.put("getIdentityPoolId", given.get("cognitoIdentityPoolId"));
        return proxy(identityType, new Values(values));
    }

    /** Gives log4j the request id, for a function that logs through aws-lambda-java-log4j2. */
    private void tellLog4j(Invocation invocation) {
        try {
            if (log4jPut == null) {
                Class<?> internal = classes.core("LambdaRuntimeInternal");
                if (internal == null || !Boolean.TRUE.equals(internal.getMethod("getUseLog4jAppender").invoke(null))) return;
                Class<?> context = Class.forName("org.apache.logging.log4j.ThreadContext", true, classes.loader);
                log4jPut = context.getMethod("put", String.class, String.class);
            }
            log4jPut.invoke(null, "AWSRequestId", invocation.requestId);
        } catch (ReflectiveOperationException absent) {
            // Then its lines lack the id.
        }
    }

    private Object proxy(Class<?> type, InvocationHandler handler) {
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    }

    /** What every such object does, whichever methods its interface has in the function's version of it. */
    private abstract static class Answers implements InvocationHandler {
        /** The value of a method, or ABSENT. */
        abstract Object value(String name, Object[] arguments);

        @Override
        public final Object invoke(Object proxy, Method method, Object[] arguments) {
            String name = method.getName();
            if (method.getDeclaringClass() == Object.class) {
                if (name.equals("equals")) return proxy == arguments[0];
                if (name.equals("hashCode")) return System.identityHashCode(proxy);
                return proxy.getClass().getInterfaces()[0].getSimpleName() + "@" + System.identityHashCode(proxy);
            }
            Object value = value(name, arguments == null ? new Object[0] : arguments);
            // A method that a later version of the interface has added.
            if (value == ABSENT || value == null) return method.getReturnType() == int.class ? (Object) 0 : null;
            return value;
        }
    }

    private static final class Values extends Answers {
        private final Map<String, Object> values;

        Values(Map<String, Object> values) {
            this.values = Collections.unmodifiableMap(values);
        }

        @Override
        Object value(String name, Object[] arguments) {
            return values.get(name);
        }
    }

    private final class Context extends Answers {
        private final Invocation invocation;
        private final Object clientContext;
        private final Object identity;

        Context(Invocation invocation, Object clientContext, Object identity) {
            this.invocation = invocation;
            this.clientContext = clientContext;
            this.identity = identity;
        }

        @Override
        Object value(String name, Object[] arguments) {
            switch (name) {
                case "getAwsRequestId": return invocation.requestId;
                case "getLogGroupName": return init.logGroup;
                case "getLogStreamName": return init.logStream;
                case "getFunctionName": return init.functionName;
                case "getFunctionVersion": return init.functionVersion;
                case "getInvokedFunctionArn": return invocation.functionArn;
                case "getIdentity": return identity;
                case "getClientContext": return clientContext;
                case "getRemainingTimeInMillis": return invocation.remainingMs();
                case "getMemoryLimitInMB": return init.memoryMb;
                case "getLogger": return logger;
                case "getTenantId": return invocation.tenantId;
                case "getXrayTraceId": return invocation.traceId;
                default: return ABSENT;
            }
        }
    }

    private final class Logger extends Answers {
        @Override
        Object value(String name, Object[] arguments) {
            if (!name.equals("log")) return ABSENT;
            String level = arguments.length > 1 ? String.valueOf(arguments[1]) : Output.UNDEFINED;
            if (arguments[0] instanceof byte[]) output.log((byte[]) arguments[0], level);
            else output.log(String.valueOf(arguments[0]), level);
            return null;
        }
    }
}
