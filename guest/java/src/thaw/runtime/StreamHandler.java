package thaw.runtime;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;

/** A handler that reads the event's bytes and writes the response's. */
final class StreamHandler implements Handler {
    private final Object receiver;
    private final Method method;
    private final boolean takesInput;
    private final boolean takesOutput;
    private final boolean takesContext;
    private final boolean byInterface;

    StreamHandler(
            Object receiver, Method method, boolean takesInput, boolean takesOutput, boolean takesContext,
            boolean byInterface) {
        this.receiver = receiver;
        this.method = method;
        this.takesInput = takesInput;
        this.takesOutput = takesOutput;
        this.takesContext = takesContext;
        this.byInterface = byInterface;
        // A public method of a class that is not public is called all the same, as the interface allows.
        method.setAccessible(true);
    }

    @Override
    public byte[] handle(byte[] event, Object context) throws Throwable {
        ByteArrayOutputStream output = new ByteArrayOutputStream(1024);
        List<Object> arguments = new ArrayList<Object>(3);
        if (takesInput) arguments.add(new ByteArrayInputStream(event));
        if (takesOutput) arguments.add(output);
        if (takesContext) arguments.add(context);
        try {
            method.invoke(receiver, arguments.toArray());
        } catch (InvocationTargetException thrown) {
            throw byInterface ? Fault.hideReflection(thrown.getCause()) : thrown.getCause();
        }
        return takesOutput ? output.toByteArray() : ValueHandler.NULL.clone();
    }
}
