package thaw.runtime;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Finds the handler that a function's configuration names, {@code package.Class} or {@code package.Class::method} (AWS
 * Lambda Developer Guide, "Define Lambda function handler in Java"; the order among overloads, the wording of failures and
 * whether they are told at init or at the first event are those of aws-lambda-java-runtime-interface-client).
 */
final class HandlerLoader {
    private HandlerLoader() {}

    /** @throws Throwable where the function fails while it is loaded; what is wrong with the handler itself is told to every event */
    static Handler load(String handler, FunctionClasses classes) throws Throwable {
        try {
            return find(handler == null ? "" : handler, classes);
        } catch (Fault fault) {
            if (fault.fatal) throw fault;
            return new Failing(fault);
        }
    }

    private static Handler find(String handler, FunctionClasses classes) throws Throwable {
        int colons = handler.lastIndexOf("::");
        String className = colons < 0 ? handler : handler.substring(0, colons);
        String methodName = colons < 0 ? null : handler.substring(colons + 2);
        if (className.isEmpty() || (methodName != null && methodName.isEmpty()))
            throw new Fault("Invalid handler: `" + handler + "'", null, null, false);
        Class<?> type;
        try {
            type = Class.forName(className, true, classes.loader);
        } catch (ClassNotFoundException absent) {
            throw new Fault("Class not found: " + className, absent.getClass().getName(), absent, false);
        } catch (NoClassDefFoundError absent) {
            // Told to the event, not at init, and the end of the environment then.
            return new Failing(loading(className, absent));
        } catch (Throwable thrown) {
            throw loading(className, thrown);
        }
        return methodName == null ? byInterface(type, classes) : byName(type, methodName, classes);
    }

    private static Fault loading(String className, Throwable thrown) {
        String reason = thrown.getMessage() == null ? "" : ": " + thrown.getMessage();
        return new Fault("Error loading class " + className + reason, thrown.getClass().getName(), thrown, true);
    }

    /** A class alone: it implements one of the two interfaces. */
    private static Handler byInterface(Class<?> type, FunctionClasses classes) throws Throwable {
        Class<?> streams = classes.core("RequestStreamHandler");
        Class<?> values = classes.core("RequestHandler");
        Class<?> context = classes.core("Context");
        if (streams != null && streams.isAssignableFrom(type)) {
            Method method = streams.getMethod("handleRequest", InputStream.class, OutputStream.class, context);
            return new StreamHandler(instance(type), method, true, true, true, true);
        }
        if (values == null || !values.isAssignableFrom(type))
            throw new Fault(
                    "Class does not implement an appropriate handler interface: " + type.getName(), null, null, false);
        Type[] parameters = Types.argumentsOf(type, values);
        if (parameters == null)
            throw new Fault(
                    "Class " + type.getName() + " does not implement RequestHandler with concrete type parameters",
                    null, null, false);
        for (Type parameter : parameters) requireBound(type, parameter);
        Method method = values.getMethod("handleRequest", Object.class, context);
        return new ValueHandler(instance(type), method, parameters[0], parameters[1], true, true, classes);
    }

    private static void requireBound(Class<?> type, Type parameter) {
        if (!(parameter instanceof TypeVariable)) return;
        for (Type bound : ((TypeVariable<?>) parameter).getBounds()) if (!Object.class.equals(bound)) return;
        throw new Fault(
                "Class " + type.getName() + " does not implement RequestHandler with concrete type parameters: parameter "
                        + parameter + " has no upper bound.",
                null, null, false);
    }

    /** Which of several methods of a name is the handler: the one with the most parameters, a last Context counting twice. */
    private static final Comparator<Method> PRIORITY = new Comparator<Method>() {
        @Override
        public int compare(Method left, Method right) {
            if (left.isBridge() != right.isBridge()) return left.isBridge() ? 1 : -1;
            return weight(right) - weight(left);
        }

        private int weight(Method method) {
            Class<?>[] types = method.getParameterTypes();
            boolean context = types.length != 0 && isContext(types[types.length - 1]);
            return types.length + (context ? 1 : 0);
        }
    };

    private static Handler byName(Class<?> type, String name, FunctionClasses classes) throws Throwable {
        List<Method> methods = new ArrayList<Method>();
        try {
            for (Method method : type.getMethods()) if (method.getName().equals(name)) methods.add(method);
        } catch (NoClassDefFoundError absent) {
            throw new Fault(
                    "Error loading method " + name + " on class " + type.getName(),
                    absent.getClass().getName(), absent, false);
        }
        Collections.sort(methods, PRIORITY);
        for (Method method : methods) {
            Handler handler = overload(type, method, classes);
            if (handler != null) return handler;
        }
        throw new Fault(
                "No public method named " + name + " with appropriate method signature found on class " + type.getName(),
                null, null, false);
    }

    /** The handler of one method, or null where its signature is none of a handler's. */
    private static Handler overload(Class<?> type, Method method, FunctionClasses classes) throws Throwable {
        Class<?>[] types = method.getParameterTypes();
        int count = types.length;
        boolean context = count > 0 && isContext(types[count - 1]);
        int others = context ? count - 1 : count;
        boolean input = others > 0 && types[0] == InputStream.class;
        boolean output = others > 0 && types[others - 1] == OutputStream.class;
        if (input || output) {
            if (others != (input && output ? 2 : 1)) return ignored(method);
            return new StreamHandler(receiver(type, method), method, input, output, context, false);
        }
        if (others > 1) return ignored(method);
        Type parameter = others == 1 ? method.getGenericParameterTypes()[0] : null;
        Object receiver = receiver(type, method);
        return new ValueHandler(receiver, method, parameter, method.getGenericReturnType(), context, false, classes);
    }

    private static Handler ignored(Method method) {
        System.err.println("Ignoring an overload of method " + method.getName()
                + " because its parameters are not those of a handler: " + method);
        return null;
    }

    private static boolean isContext(Class<?> type) {
        return FunctionClasses.isCore(type, "Context");
    }

    private static Object receiver(Class<?> type, Method method) throws Throwable {
        return Modifier.isStatic(method.getModifiers()) ? null : instance(type);
    }

    private static Object instance(Class<?> type) throws Throwable {
        Constructor<?> constructor;
        try {
            constructor = type.getConstructor();
        } catch (NoSuchMethodException absent) {
            boolean inner = type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers());
            String reason = inner
                    ? " cannot be instantiated because it is a non-static inner class"
                    : " has no public zero-argument constructor";
            throw new Fault("Class " + type.getName() + reason, "java.lang.Exception", absent, false);
        }
        try {
            return constructor.newInstance();
        } catch (InvocationTargetException thrown) {
            throw Fault.whileLoading(thrown.getCause(), true);
        } catch (InstantiationException | IllegalAccessException refused) {
            throw Fault.whileLoading(refused, false);
        }
    }

    /** Answers every event with what is wrong with the handler. */
    private static final class Failing implements Handler {
        private final Fault fault;

        Failing(Fault fault) {
            this.fault = fault;
        }

        @Override
        public byte[] handle(byte[] event, Object context) {
            throw fault;
        }
    }
}
